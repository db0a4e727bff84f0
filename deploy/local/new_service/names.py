"""The new service's name and ports: the next ones that are free."""

from __future__ import annotations

import importlib.util
import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry import Service, load_services

_NAME: Final = re.compile(r"[a-z]{3,20}")
_FIRST: Final = {"http": 18101, "ops": 18201}


class ServiceNameError(ValueError):
    """A name that no service can have; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the template's placeholders become."""

    name: str
    http_port: int
    ops_port: int

    @property
    def placeholders(self) -> dict[str, str]:
        return {
            "%name%": self.name,
            "%Name%": self.name.capitalize(),
            "%NAME%": self.name.upper(),
            "%http_port%": str(self.http_port),
            "%ops_port%": str(self.ops_port),
        }


def checked_names(name: str, checkout: Path) -> Names:
    """Raises ``ServiceNameError``."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ServiceNameError(f"{name!r} is no name of a service: 3 to 20 lower-case letters, such as reviews")
    if (checkout / "services" / name).exists() or importlib.util.find_spec(name) is not None:
        raise ServiceNameError(f"{name} is taken: a package of that name is here already")
    services = load_services(checkout)
    return Names(name=name, http_port=_next("http", services), ops_port=_next("ops", services))


def _next(port: str, services: tuple[Service, ...]) -> int:
    """After the greatest that a service has."""
    return max([service.ports[port] + 1 for service in services if service.kind == "service"], default=_FIRST[port])
