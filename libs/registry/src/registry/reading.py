"""From files to ``Service`` objects. A key nobody knows, a value of another type and a thing missing are errors.

Invariant: two services share no port, own no topic together, and answer no path together.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from registry.service import Kind, OwnTopic, RedisRights, RouteList, Secret, Service, Topics

FILE: Final = "service.toml"
ROLES: Final = ("http", "consume", "relay", "jobs")
NEEDS: Final = ("postgres", "redis", "kafka", "sandbox")
PORTS: Final = {"service": {"http", "ops"}, "gateway": {"http", "admin"}, "outside": set[str]()}
SECRETS: Final = ("text", "key")
_TOPIC_SETTINGS: Final = frozenset(
    {"partitions", "replication", "min_insync", "cleanup", "retention_days", "record_bytes_max"}
)


class RegistryError(ValueError):
    """A ``service.toml`` says something that cannot be; the message names the file and the key."""


def find_checkout(start: Path) -> Path:
    """The nearest folder at or above ``start`` that has services. Raises ``RegistryError``."""
    for folder in (start, *start.parents):
        if any((folder / "services").glob(f"*/{FILE}")):
            return folder
    raise RegistryError(f"no services/*/{FILE} above {start}")


def load_services(checkout: Path) -> tuple[Service, ...]:
    """Every service of the tree, in the order of their names. Raises ``RegistryError``."""
    services = tuple(read_service(path) for path in sorted((checkout / "services").glob(f"*/{FILE}")))
    _no_twins("port", ((number, each) for each in services for number in each.ports.values()))
    _no_twins("topic", ((topic.name, each) for each in services for topic in each.topics.own))
    _no_twins("path", ((path, each) for each in services for path in each.routes.paths))
    return services


def processes(services: Iterable[Service]) -> tuple[Service, ...]:
    """Those that are processes of ours in Python: the gateway is Envoy, and what is outside runs elsewhere."""
    return tuple(service for service in services if service.kind == "service")


def read_service(path: Path) -> Service:
    """One file; its folder is the service's name. Raises ``RegistryError``."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RegistryError(f"{_shown(path)}: {error}") from None
    table = _Table(_shown(path), content)
    name = path.parent.name
    service = Service(
        name=name,
        root=path.parent,
        about=table.text("about"),
        kind=cast("Kind", table.one_of("kind", tuple(PORTS), default="service")),
        ports=table.numbers("ports"),
        roles=table.words("roles", of=ROLES),
        needs=table.words("needs", of=NEEDS),
        secrets=cast("Mapping[str, Secret]", table.texts("secrets", of=SECRETS)),
        settings=table.texts("settings"),
        topics=_topics(table.table("topics"), name),
        redis=_redis(table.table("redis")),
        routes=_routes(table.table("routes")),
        features=_features(table.table("features")),
    )
    table.close()
    if set(service.ports) != PORTS[service.kind]:
        raise RegistryError(f"{table.where}: ports are {', '.join(sorted(PORTS[service.kind])) or 'none'}")
    return service


def _topics(table: _Table, owner: str) -> Topics:
    own = tuple(_own_topic(table.where, owner, name, entry) for name, entry in table.tables("own").items())
    topics = Topics(own=own, reads=table.words("reads"), writes=table.words("writes"))
    table.close()
    return topics


def _own_topic(where: str, owner: str, name: str, entry: _Table) -> OwnTopic:
    audience, *rest = name.split(".")
    if audience not in {"public", "private"} or len(rest) != 3 or rest[0] != owner:
        raise RegistryError(f"{where}: {name} is not public.{owner}.<what>.v<n> or private.{owner}.<what>.v<n>")
    topic = OwnTopic(
        name=name,
        about=entry.text("about"),
        readers=entry.words("readers"),
        writers=entry.words("writers"),
        more=entry.rest(_TOPIC_SETTINGS),
    )
    entry.close()
    if topic.is_public and topic.readers:
        raise RegistryError(f"{where}: {name} is public: readers say so in their own file")
    return topic


def _redis(table: _Table) -> RedisRights:
    rights = RedisRights(commands=table.words("commands"), reads=table.texts("reads"), hears=table.words("hears"))
    table.close()
    return rights


def _routes(table: _Table) -> RouteList:
    routes = RouteList(
        paths=table.words("paths"),
        public=table.words("public"),
        waiting=table.words("waiting"),
        websocket=table.words("websocket"),
        large_bodies=table.numbers("large_bodies"),
    )
    table.close()
    return routes


def _features(table: _Table) -> dict[str, tuple[str, ...]]:
    """A feature knows others that are named before it: none knows itself by a detour."""
    features: dict[str, tuple[str, ...]] = {}
    for name in table.left():
        features[name] = table.words(name, of=tuple(features))
    return features


class _Table:
    """A table of the file. What was not asked for by the end is a mistake of whoever wrote it."""

    def __init__(self, where: str, content: object) -> None:
        if not isinstance(content, dict):
            raise RegistryError(f"{where} is not a table")
        self.where = where
        self._left: dict[str, Any] = dict(content)

    def left(self) -> list[str]:
        """The keys nobody asked for yet."""
        return list(self._left)

    def text(self, key: str) -> str:
        value = self._left.pop(key, None)
        if not isinstance(value, str) or not value.strip():
            raise RegistryError(f"{self.where}: {key} is missing")
        return value

    def one_of(self, key: str, choices: Sequence[str], *, default: str) -> str:
        value = self._left.pop(key, default)
        if value not in choices:
            raise RegistryError(f"{self.where}: {key} is {value!r}, not one of {', '.join(choices)}")
        return str(value)

    def words(self, key: str, *, of: Sequence[str] | None = None) -> tuple[str, ...]:
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise RegistryError(f"{self.where}: {key} is not a list of texts")
        strange = [each for each in value if of is not None and each not in of]
        if strange or len(set(value)) != len(value):
            raise RegistryError(f"{self.where}: {key}: {', '.join(strange) or 'something'} is unknown or there twice")
        return tuple(value)

    def texts(self, key: str, *, of: Sequence[str] | None = None) -> dict[str, str]:
        return self._values(key, lambda value: isinstance(value, str) and (of is None or value in of))

    def numbers(self, key: str) -> dict[str, int]:
        return self._values(key, lambda value: isinstance(value, int) and not isinstance(value, bool))

    def _values(self, key: str, fits: Callable[[Any], bool]) -> dict[str, Any]:
        value = self._left.pop(key, {})
        wrong = [name for name, each in value.items() if not fits(each)] if isinstance(value, dict) else [key]
        if wrong:
            raise RegistryError(f"{self.where}: {key}: {', '.join(wrong)} has a value that cannot be")
        return dict(value)

    def table(self, key: str) -> _Table:
        return _Table(f"{self.where}: {key}", self._left.pop(key, {}))

    def tables(self, key: str) -> dict[str, _Table]:
        content = self.table(key)
        return {name: _Table(f"{self.where}: {name}", each) for name, each in content._left.items()}  # noqa: SLF001 -- its own class

    def rest(self, known: frozenset[str]) -> dict[str, Any]:
        """What is left, of keys that somebody else reads."""
        return {key: self._left.pop(key) for key in list(self._left) if key in known}

    def close(self) -> None:
        if self._left:
            raise RegistryError(f"{self.where}: unknown {', '.join(sorted(self._left))}")


def _no_twins(what: str, owned: Iterable[tuple[object, Service]]) -> None:
    first: dict[object, Service] = {}
    for thing, service in owned:
        other = first.setdefault(thing, service)
        if other is not service:
            raise RegistryError(f"{what} {thing} belongs to {other.name} and to {service.name}")


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
