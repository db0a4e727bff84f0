"""A Redis user a service: its own keys and channels, its commands, and what of another's it may read and hear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from registry import Service


def parts(services: Iterable[Service]) -> Mapping[str, str]:
    return {"users": "".join(map(_user, services))}


def _user(service: Service) -> str:
    name = service.name
    words = [
        f"user {name} on @{name}@ resetkeys ~{name}:* resetchannels &{name}:* -@all",
        *(f"+{command}" for command in service.redis.commands),
        *(f"(%R~{key} +{command})" for key, command in service.redis.reads.items()),
        *(f"(&{channel} &{name}:* +subscribe)" for channel in service.redis.hears),
    ]
    return " ".join(words) + "\n"
