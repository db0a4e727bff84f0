"""The difference between what the services declare and what a cluster has. Pure: no broker here.

Invariant: nothing in a plan destroys data or order. Topics are never deleted, retention aside; partitions grow only
when asked, because a key moves to another partition when they do; grants are taken away only when asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from contracts.topics import Declared, Grant, Topic

OURS = ("public.", "private.")


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as the cluster has it; ``overrides`` are the settings set on the topic itself."""

    partitions: int
    replication: int
    settings: Mapping[str, str]
    overrides: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """What a cluster has. ``grants`` is None when it has no authorizer."""

    brokers: int
    topics: Mapping[str, FoundTopic]
    grants: frozenset[Grant] | None


@dataclass(frozen=True, slots=True)
class SettingChange:
    topic: str
    setting: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Growth:
    topic: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, and in ``drift`` what only a person may decide."""

    create: tuple[Topic, ...] = ()
    change: tuple[SettingChange, ...] = ()
    grow: tuple[Growth, ...] = ()
    grant: tuple[Grant, ...] = ()
    revoke: tuple[Grant, ...] = ()
    drift: tuple[str, ...] = field(default=())

    @property
    def actions(self) -> int:
        """How many things there are to do."""
        return sum(map(len, (self.create, self.change, self.grow, self.grant, self.revoke)))

    @property
    def empty(self) -> bool:
        return not self.actions and not self.drift

    def lines(self) -> Iterator[str]:
        """One line each, for people."""
        for topic in self.create:
            copies = f"{topic.partitions} partitions, {topic.replication} copies"
            yield f"create   {topic.name} ({copies}, {topic.settings})"
        for change in self.change:
            yield f"change   {change.topic}: {change.setting} {change.before} → {change.after}"
        for growth in self.grow:
            yield f"grow     {growth.topic}: {growth.before} → {growth.after} partitions"
        for given in self.grant:
            yield f"grant    {given}"
        for taken in self.revoke:
            yield f"revoke   {taken}"
        for sentence in self.drift:
            yield f"drift    {sentence}"


def make_plan(declared: Declared, found: Found, *, prefix: str = "", grow: bool = False, prune: bool = False) -> Plan:
    """Compare. ``grow`` allows more partitions, ``prune`` takes away grants that are not declared."""
    wanted = {topic.name: topic for topic in (t.on(brokers=found.brokers, prefix=prefix) for t in declared.topics)}
    present = {name: topic for name, topic in wanted.items() if name in found.topics}
    growths = [growth for topic in present.values() for growth in _growth(topic, found.topics[topic.name])]
    extra = _extra_grants(declared, found, prefix)
    drift = list(_drift(wanted, present, found, prefix))
    if not grow:
        drift += [
            f"{growth.topic} has {growth.before} partitions, declared {growth.after}: --grow moves keys to others"
            for growth in growths
        ]
    if not prune:
        drift += [f"not declared: {grant} (--prune takes it away)" for grant in extra]
    return Plan(
        create=tuple(topic for name, topic in wanted.items() if name not in found.topics),
        change=tuple(change for topic in present.values() for change in _changes(topic, found.topics[topic.name])),
        grow=tuple(growths) if grow else (),
        grant=() if found.grants is None else tuple(sorted(declared.grants(prefix) - found.grants)),
        revoke=tuple(extra) if prune else (),
        drift=tuple(drift),
    )


def _changes(topic: Topic, found: FoundTopic) -> Iterator[SettingChange]:
    for setting, value in topic.settings.items():
        before = found.settings.get(setting)
        if before != value:
            yield SettingChange(topic.name, setting, before, value)


def _growth(topic: Topic, found: FoundTopic) -> Iterator[Growth]:
    if found.partitions < topic.partitions:
        yield Growth(topic.name, found.partitions, topic.partitions)


def _extra_grants(declared: Declared, found: Found, prefix: str) -> list[Grant]:
    principals = {f"User:{service}" for service in declared.services}
    ours = tuple(f"{prefix}{start}" for start in OURS)
    return sorted(
        grant
        for grant in (found.grants or frozenset()) - declared.grants(prefix)
        if grant.principal in principals and grant.resource == "TOPIC" and grant.name.startswith(ours)
    )


def _drift(wanted: Mapping[str, Topic], present: Mapping[str, Topic], found: Found, prefix: str) -> Iterator[str]:
    for name in sorted(found.topics):
        if name not in wanted and name.startswith(tuple(f"{prefix}{start}" for start in OURS)):
            yield f"{name} exists, but is not declared"
    for name, topic in present.items():
        actual = found.topics[name]
        if actual.partitions > topic.partitions:
            yield f"{name} has {actual.partitions} partitions, declared {topic.partitions}: cannot shrink"
        if actual.replication != topic.replication:
            yield f"{name} has {actual.replication} copies, declared {topic.replication}: reassign by hand"
        for setting in sorted(actual.overrides - topic.settings.keys()):
            yield f"{name}: {setting} is set to {actual.settings[setting]}, but not declared"
