"""The secrets of one service: the variable that each is given in, and the file of the instance that keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from registry import Service
from registry.service import Secret


@dataclass(frozen=True, slots=True)
class SecretName:
    """``kind`` is how it is made: a ``text`` of letters and digits, or a ``key`` of 32 bytes in base64."""

    file: str
    kind: Secret = "text"


def secrets_of(service: Service) -> Mapping[str, SecretName]:
    """By the name of the variable, without the service's prefix."""
    name = service.name
    own = {
        setting: SecretName(f"{name}-{setting.lower().replace('_', '-')}", kind)
        for setting, kind in service.secrets.items()
    }
    return {
        "POSTGRES_PASSWORD": SecretName(f"postgres-{name}"),
        "OWNER_POSTGRES_PASSWORD": SecretName(f"postgres-owner-{name}"),
        "REDIS_PASSWORD": SecretName(f"redis-{name}"),
        "KAFKA_PASSWORD": SecretName(f"kafka-{name}"),
        "CURSOR_SECRET": SecretName(f"cursor-{name}"),
        **own,
    }
