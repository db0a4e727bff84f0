"""What may not stand in production's settings: stand-ins for other people's servers, and secrets that are none.

Whoever knows the sandbox's secret makes money and reads mail; a scanner that is a stand-in finds every file clean. So a
process that is told it is in production refuses to start with one, and says which setting names it.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

# Needed where others might listen; a broker on a developer's machine may have no users.
REQUIRED: Final = frozenset({"kafka_username", "kafka_password"})
_FOR_TESTS: Final = ("sandbox", "test-only", "placeholder", "changeme", "change-me", "example")


class Outside:
    """Marks a setting, in ``Annotated``, as the host or URL of somebody else's server, which the sandbox plays."""


def refuse(name: str, value: Any, *, outside: bool) -> None:
    """Raises ``ValueError`` when production must not start with this value."""
    if value is None:
        if name in REQUIRED:
            raise PydanticCustomError("missing", "Field required")
        return
    if outside:
        _refuse_stand_in(str(value))
    if isinstance(value, SecretStr):
        _refuse_secret(name, value.get_secret_value())


def _refuse_stand_in(address: str) -> None:
    url = urlsplit(address if "://" in address else f"//{address}")
    host = (url.hostname or "").rstrip(".")
    if not host or host == "localhost" or host.endswith(".localhost") or _is_own_machine(host):
        raise ValueError("it is an address of this machine, where in production no provider is")
    if any(label.startswith("sandbox") for label in host.split(".")):
        raise ValueError("the sandbox does not exist in production")
    if url.scheme == "http":
        raise ValueError("in production it begins with https://: a key goes with every request")


def _refuse_secret(name: str, secret: str) -> None:
    if name.endswith(("_dsn", "_url")):
        url = urlsplit(secret)
        if not url.username or (name == "redis_url" and not url.password):
            raise ValueError("it names no user of this service's own")
        secret = url.password or ""
    if any(part in secret.lower() for part in _FOR_TESTS):
        raise ValueError("it is a value for tests, which everybody knows")


def _is_own_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
