"""One service as its ``service.toml`` describes it. ``docs/SERVICES.md`` explains each key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["service", "gateway", "outside"]
Secret = Literal["text", "key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTopic:
    """A topic that the service owns. Who may touch a private one is named here; a public one is read by who says so."""

    name: str
    about: str
    readers: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)  # retention_days, partitions …, as deploy/kafka/defaults.yaml

    @property
    def is_public(self) -> bool:
        return self.name.startswith("public.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """What the service owns, and which topics of others it reads and writes."""

    own: tuple[OwnTopic, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisRights:
    """Commands on the service's own keys and channels, and what of another's it may read and hear."""

    commands: tuple[str, ...] = ()
    reads: Mapping[str, str] = field(default_factory=dict)  # key of another service → the command
    hears: tuple[str, ...] = ()  # channels of other services


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteList:
    """What the gateway lets through to the service. Endpoints are written ``GET /v1/orders/{order_id}``."""

    paths: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    websocket: tuple[str, ...] = ()
    large_bodies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """``ports`` are ``http`` and ``ops``, of a gateway ``http`` and ``admin``. ``settings`` have no prefix.

    What is ``outside`` runs elsewhere: it has a Kafka user and topics, and no process here.
    ``features``: of a service that is divided, each feature and those whose modules it may import.
    """

    name: str
    root: Path
    about: str
    kind: Kind = "service"
    ports: Mapping[str, int]
    roles: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    topics: Topics = Topics()
    redis: RedisRights = RedisRights()
    routes: RouteList = RouteList()
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def named_ports(self) -> dict[str, int]:
        """As the local stack calls them: ``payment`` and ``payment_ops``."""
        return {self.name if port == "http" else f"{self.name}_{port}": number for port, number in self.ports.items()}
