"""Topics and who may touch them, as each service declares in its ``service.toml``.

Invariant: a principal has exactly what these files name: an owner writes and reads its topics, writers write,
readers read, each service's consumer groups begin with its own name, and nobody else sees anything. A public topic is
read by whoever says so; a private one by those whom its owner names, and who say so themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import yaml

from contracts.folders import checkout
from registry import RegistryError, Service, load_services

DAY_MS = 24 * 60 * 60 * 1000
Operation = Literal["READ", "WRITE", "DESCRIBE"]


class TopicsFileError(ValueError):
    """A ``service.toml`` or ``deploy/kafka/defaults.yaml`` says something that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic as it should be."""

    name: str
    owner: str
    about: str
    partitions: int
    replication: int
    min_insync: int
    cleanup: str
    retention_days: int
    record_bytes_max: int | None = None
    writers: frozenset[str] = field(default_factory=frozenset)
    readers: frozenset[str] = field(default_factory=frozenset)

    @property
    def settings(self) -> dict[str, str]:
        """Kafka's own names for what was declared."""
        retention_ms = -1 if self.retention_days < 0 else self.retention_days * DAY_MS
        values = {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(retention_ms),
            "min.insync.replicas": str(self.min_insync),
        }
        if self.record_bytes_max:
            values["max.message.bytes"] = str(self.record_bytes_max)
        return values

    def on(self, *, brokers: int, prefix: str) -> Topic:
        """The same topic on a cluster of so many brokers, under a prefix."""
        replication = min(self.replication, brokers)
        insync = min(self.min_insync, max(1, replication - 1))
        return replace(self, name=f"{prefix}{self.name}", replication=replication, min_insync=insync)


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One principal may do one thing."""

    principal: str
    resource: Literal["TOPIC", "GROUP"]
    name: str
    pattern: Literal["LITERAL", "PREFIXED"]
    operation: Operation

    def __str__(self) -> str:
        star = "*" if self.pattern == "PREFIXED" else ""
        return f"{self.principal} may {self.operation} {self.resource.lower()} {self.name}{star}"


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything the services declare."""

    topics: tuple[Topic, ...]

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted({topic.owner for topic in self.topics}))

    def names(self) -> frozenset[str]:
        return frozenset(topic.name for topic in self.topics)

    def grants(self, prefix: str = "") -> frozenset[Grant]:
        """Every grant that follows from the topics."""
        return frozenset(self._grants(prefix))

    def _grants(self, prefix: str) -> Iterator[Grant]:
        for topic in self.topics:
            name = f"{prefix}{topic.name}"
            for service in {topic.owner} | topic.writers:
                yield Grant(f"User:{service}", "TOPIC", name, "LITERAL", "WRITE")
            for service in {topic.owner} | topic.readers:
                yield Grant(f"User:{service}", "TOPIC", name, "LITERAL", "READ")
            for service in {topic.owner} | topic.writers | topic.readers:
                yield Grant(f"User:{service}", "TOPIC", name, "LITERAL", "DESCRIBE")
        for service in self.services:
            # `payment` itself and `payment.replay`, but not `payments`.
            yield Grant(f"User:{service}", "GROUP", f"{prefix}{service}", "LITERAL", "READ")
            yield Grant(f"User:{service}", "GROUP", f"{prefix}{service}.", "PREFIXED", "READ")


def load_topics(folder: Path | None = None) -> Declared:
    """Read the files of a checkout. Raises ``TopicsFileError`` that names the file and the entry at fault."""
    root = folder or checkout()
    defaults = _mapping(root / "deploy" / "kafka" / "defaults.yaml")
    try:
        services = [service for service in load_services(root) if service.kind != "gateway"]
    except RegistryError as error:
        raise TopicsFileError(str(error)) from None
    topics = dict(_topics(services, defaults))
    _check_services(topics.values(), services)
    return Declared(tuple(topics[name] for name in sorted(topics)))


def _topics(services: Sequence[Service], defaults: dict[str, Any]) -> Iterator[tuple[str, Topic]]:
    for service in services:
        for own in service.topics.own:
            readers = [each.name for each in services if own.name in each.topics.reads]
            writers = [each.name for each in services if own.name in each.topics.writes]
            entry = {**own.more, "about": own.about, "readers": readers, "writers": writers}
            yield own.name, _topic(service.name, own.name, service.name, entry, defaults)
        for kind, entry in (defaults.get("per_service") or {}).items():
            name = entry["topic"].replace("{service}", service.name)
            more = {key: value for key, value in entry.items() if key != "topic"}
            about = {"about": f"{kind} of {service.name}"}
            yield name, _topic("defaults.yaml", name, service.name, about | more, defaults)


_KEYS = {
    "about", "partitions", "replication", "min_insync", "cleanup", "retention_days", "record_bytes_max", "writers",
    "readers",
}  # fmt: skip


def _topic(file: str, name: str, owner: str, entry: dict[str, Any], defaults: dict[str, Any]) -> Topic:
    unknown = set(entry) - _KEYS
    if unknown:
        raise TopicsFileError(f"{file}: {name}: unknown {', '.join(sorted(unknown))}")
    merged: dict[str, Any] = {key: entry.get(key, defaults.get(key)) for key in _KEYS}
    return Topic(
        name=name,
        owner=owner,
        about=entry["about"],
        partitions=int(merged["partitions"]),
        replication=int(merged["replication"]),
        min_insync=int(merged["min_insync"]),
        cleanup=str(merged["cleanup"]),
        retention_days=int(merged["retention_days"]),
        record_bytes_max=merged["record_bytes_max"],
        writers=frozenset(entry.get("writers") or ()),
        readers=frozenset(entry.get("readers") or ()),
    )


def _check_services(topics: Collection[Topic], services: Sequence[Service]) -> None:
    """Both sides of a private topic say the same, and nobody asks for a topic that nobody owns."""
    names, known = {service.name for service in services}, {topic.name: topic for topic in topics}
    for service in services:
        for name in (*service.topics.reads, *service.topics.writes):
            if name not in known:
                raise TopicsFileError(f"{service.name}: {name} is a topic that nobody owns")
        for own in service.topics.own:
            asked = known[own.name]
            _both_sides(own.name, "writers", set(own.writers), set(asked.writers) - {service.name}, names)
            if not own.is_public:
                _both_sides(own.name, "readers", set(own.readers), set(asked.readers) - {service.name}, names)
    for topic in topics:
        if strangers := (topic.writers | topic.readers) - names:
            raise TopicsFileError(f"{topic.name}: {', '.join(sorted(strangers))} is no service")


def _both_sides(topic: str, side: str, named: set[str], asking: set[str], services: set[str]) -> None:
    if strangers := named - services:
        raise TopicsFileError(f"{topic}: {side}: {', '.join(sorted(strangers))} is no service")
    if unasked := named - asking:
        raise TopicsFileError(f"{topic}: {side} has {', '.join(sorted(unasked))}, whose own file does not ask for it")
    if unnamed := asking - named:
        raise TopicsFileError(f"{topic}: {', '.join(sorted(unnamed))} asks for it and is not among its {side}")


def _mapping(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise TopicsFileError(f"{path.name}: is not a mapping")
    return content
