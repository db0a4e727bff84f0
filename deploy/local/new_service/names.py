"""The new service's name and ports: the next ones that are free."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from new_service.taken import why_not
from registry import Service, load_services, processes

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
    services = load_services(checkout)
    reason = why_not(name, services, checkout)
    if reason is not None:
        raise ServiceNameError(f"no service can be called {name!r}: {reason}. Take a word such as reviews")
    return Names(name=name, http_port=_next("http", services), ops_port=_next("ops", services))


def _next(port: str, services: tuple[Service, ...]) -> int:
    """After the greatest that a service has."""
    return max([service.ports[port] + 1 for service in processes(services)], default=_FIRST[port])
