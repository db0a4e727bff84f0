"""Topics and who may touch them, as declared in ``deploy/kafka``.

Invariant: a principal has exactly what these files name: an owner writes and reads its topics, writers write,
readers read, each service's consumer groups begin with its own name, and nobody else sees anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import yaml

from contracts.folders import kafka_folder

DAY_MS = 24 * 60 * 60 * 1000
Operation = Literal["READ", "WRITE", "DESCRIBE"]


class TopicsFileError(ValueError):
    """A file under ``deploy/kafka`` says something that cannot be."""


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
    """Everything ``deploy/kafka`` declares."""

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
    """Read the files. Raises ``TopicsFileError`` that names the file and the entry at fault."""
    root = folder or kafka_folder()
    defaults = _mapping(root / "defaults.yaml")
    topics: dict[str, Topic] = {}
    owners: list[str] = []
    for path in sorted((root / "topics").glob("*.yaml")):
        content = _mapping(path)
        owner = content.get("owner")
        if owner != path.stem:
            raise TopicsFileError(f"{path.name}: owner is {owner!r}; a file is named after its owner")
        owners.append(owner)
        for name, entry in (content.get("topics") or {}).items():
            _add(topics, _topic(path.name, name, owner, entry or {}, defaults))
    for owner in owners:
        for kind, entry in (defaults.get("per_service") or {}).items():
            name = entry["topic"].replace("{service}", owner)
            own = {key: value for key, value in entry.items() if key != "topic"}
            own.setdefault("about", f"{kind} of {owner}")
            _add(topics, _topic("defaults.yaml", name, owner, own, defaults))
    declared = Declared(tuple(sorted(topics.values(), key=lambda topic: topic.name)))
    _check_services(declared, owners)
    return declared


def _add(topics: dict[str, Topic], topic: Topic) -> None:
    if topic.name in topics:
        raise TopicsFileError(f"{topic.name} is declared twice")
    topics[topic.name] = topic


_KEYS = {
    "about", "partitions", "replication", "min_insync", "cleanup", "retention_days", "record_bytes_max", "writers",
    "readers",
}  # fmt: skip


def _topic(file: str, name: str, owner: str, entry: dict[str, Any], defaults: dict[str, Any]) -> Topic:
    unknown = set(entry) - _KEYS
    if unknown:
        raise TopicsFileError(f"{file}: {name}: unknown {', '.join(sorted(unknown))}")
    about = entry.get("about")
    if not about:
        raise TopicsFileError(f"{file}: {name}: says nothing about itself (about:)")
    merged: dict[str, Any] = {key: entry.get(key, defaults.get(key)) for key in _KEYS}
    return Topic(
        name=name,
        owner=owner,
        about=about,
        partitions=int(merged["partitions"]),
        replication=int(merged["replication"]),
        min_insync=int(merged["min_insync"]),
        cleanup=str(merged["cleanup"]),
        retention_days=int(merged["retention_days"]),
        record_bytes_max=merged["record_bytes_max"],
        writers=frozenset(entry.get("writers") or ()),
        readers=frozenset(entry.get("readers") or ()),
    )


def _check_services(declared: Declared, owners: Sequence[str]) -> None:
    for topic in declared.topics:
        strangers = (topic.writers | topic.readers) - set(owners)
        if strangers:
            raise TopicsFileError(f"{topic.name}: {', '.join(sorted(strangers))} has no file of its own")


def _mapping(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise TopicsFileError(f"{path.name}: is not a mapping")
    return content
