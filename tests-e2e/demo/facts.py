"""Where the running stack is: addresses and secrets, from the files that ``make up`` rendered."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One instance of the stack."""

    instance: str
    gateway_url: str
    sandbox_url: str
    kafka_bootstrap: str
    kafka_mechanism: str
    kafka_username: str
    kafka_password: str


def instance_name() -> str:
    return os.environ.get("SAMPAN_INSTANCE") or "demo"


def service_environment(service: str) -> dict[str, str]:
    """The rendered settings of one service (or ``infra``)."""
    path = CHECKOUT / ".local" / instance_name() / "env" / f"{service}.env"
    lines = (line.split("=", maxsplit=1) for line in path.read_text().splitlines() if "=" in line)
    return {key: "".join(shlex.split(value)) for key, value in lines}


def read_facts() -> Facts:
    """Facts of the instance named by SAMPAN_INSTANCE. Raises ``FileNotFoundError`` when it was never started."""
    infra = service_environment("infra")
    return Facts(
        instance=instance_name(),
        gateway_url=infra["GATEWAY_URL"],
        sandbox_url=infra["SANDBOX_URL"],
        kafka_bootstrap=infra["KAFKA_BOOTSTRAP"],
        kafka_mechanism=infra["KAFKA_SASL_MECHANISM"],
        kafka_username=infra["KAFKA_ADMIN_USERNAME"],
        kafka_password=infra["KAFKA_ADMIN_PASSWORD"],
    )
