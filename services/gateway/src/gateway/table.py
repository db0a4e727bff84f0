"""The route table: what each service's ``service.toml`` lets through, on the terms of ``limits.yaml``.

A path that is not below one of a service's paths does not exist. A path below one needs a token unless it is public.

Invariant: every public, waiting or WebSocket route lies below a path of the service that lists it, and is listed once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError, model_validator

from gateway.errors import GatewayError
from registry import RegistryError, Service, find_checkout, load_services

METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
LIMITS_PATH: Final = Path(__file__).with_name("limits.yaml")
_SEGMENT: Final = re.compile(r"[a-z0-9._~-]+|\{[a-z_]+\}")


class RoutesError(GatewayError, ValueError):
    """A ``service.toml`` or ``limits.yaml`` says something that cannot be."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Endpoint(_Frozen):
    """One method on one path template."""

    method: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``GET /v1/products/{product_id}``."""
        method, _, path = text.partition(" ")
        if method not in METHODS or not path.startswith("/"):
            raise RoutesError(f"{text!r} is not a method and a path")
        for segment in path.strip("/").split("/"):
            if not _SEGMENT.fullmatch(segment):
                raise RoutesError(f"{text!r}: {segment!r} is not a path segment")
        return cls(method=method, path=path)

    @property
    def regex(self) -> str:
        """RE2 pattern of the whole path."""
        return "/".join(
            "[^/]+" if part.startswith("{") else re.escape(part).replace("\\-", "-") for part in self.path.split("/")
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Limits(_Frozen):
    """Sizes in bytes (headers in KiB), times in seconds."""

    body_bytes_max: PositiveInt
    header_kib_max: PositiveInt
    headers_max: PositiveInt
    timeout_s: PositiveInt
    waiting_timeout_s: PositiveInt
    websocket_idle_s: PositiveInt


class RouteTable(_Frozen):
    """Who answers what, and on what terms."""

    owners: Mapping[str, str]
    public: tuple[str, ...]
    waiting: tuple[str, ...]
    websocket: tuple[str, ...]
    large_bodies: Mapping[str, PositiveInt]
    limits: Limits

    @model_validator(mode="after")
    def _lies_below_an_owner_once(self) -> Self:
        for name in ("public", "waiting", "websocket"):
            listed: tuple[str, ...] = getattr(self, name)
            for text in listed:
                endpoint = Endpoint.parse(text)
                if self.owner_of(endpoint.path) is None:
                    raise RoutesError(f"{name}: {text} lies below no owner's path")
                if listed.count(text) > 1:
                    raise RoutesError(f"{name}: {text} is listed twice")
        for path in self.large_bodies:
            if path not in self.owners:
                raise RoutesError(f"large_bodies: {path} is no owner's path")
        return self

    @cached_property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.owners.values())))

    @property
    def public_endpoints(self) -> Iterator[Endpoint]:
        return map(Endpoint.parse, self.public)

    @property
    def waiting_endpoints(self) -> Iterator[Endpoint]:
        return map(Endpoint.parse, self.waiting)

    @property
    def websocket_endpoints(self) -> Iterator[Endpoint]:
        return map(Endpoint.parse, self.websocket)

    def owner_of(self, path: str) -> str | None:
        """The service that answers a path, or None when nobody does."""
        owner_path = self.owner_path_of(path)
        return None if owner_path is None else self.owners[owner_path]

    def owner_path_of(self, path: str) -> str | None:
        """The longest owner's path at or above ``path``."""
        above = [owned for owned in self.owners if path == owned or path.startswith(f"{owned}/")]
        return max(above, key=len, default=None)

    def is_public(self, method: str, path_template: str) -> bool:
        """Whether a method on a path template (any parameter names) needs no token."""
        return _lists(self.public_endpoints, method, path_template)

    def is_waiting(self, method: str, path_template: str) -> bool:
        """Whether a method on a path template (any parameter names) may hold its answer back."""
        return _lists(self.waiting_endpoints, method, path_template)


def _lists(endpoints: Iterator[Endpoint], method: str, path_template: str) -> bool:
    wanted = re.sub(r"\{[^}]*\}", "x", path_template)
    return any(endpoint.method == method and re.fullmatch(endpoint.regex, wanted) for endpoint in endpoints)


def load_table(checkout: Path | None = None) -> RouteTable:
    """Of the services around the gateway. Raises ``RoutesError`` with the fault in one sentence."""
    try:
        services = load_services(checkout or find_checkout(Path(__file__).resolve()))
    except RegistryError as error:
        raise RoutesError(str(error)) from None
    return make_table(services, yaml.safe_load(LIMITS_PATH.read_text(encoding="utf-8")))


def make_table(services: Sequence[Service], limits: Mapping[str, Any]) -> RouteTable:
    """Raises ``RoutesError`` with the fault in one sentence."""
    for service in services:
        _lies_below_its_own_paths(service)
    content = {
        "owners": {path: service.name for service in services for path in service.routes.paths},
        "public": [each for service in services for each in service.routes.public],
        "waiting": [each for service in services for each in service.routes.waiting],
        "websocket": [each for service in services for each in service.routes.websocket],
        "large_bodies": {path: size for service in services for path, size in service.routes.large_bodies.items()},
        "limits": limits,
    }
    try:
        return RouteTable.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise RoutesError(f"{where}: {message}" if where else message) from None


def _lies_below_its_own_paths(service: Service) -> None:
    routes = service.routes
    for text in (*routes.public, *routes.waiting, *routes.websocket):
        path = Endpoint.parse(text).path
        if not any(path == own or path.startswith(f"{own}/") for own in routes.paths):
            raise RoutesError(f"{service.name}: {text} lies below none of its own paths")
