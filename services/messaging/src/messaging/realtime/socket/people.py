"""Connections of this node, by person. At most so many each: the oldest makes room for the newest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from prometheus_client import Gauge

from messaging.realtime.domain.codes import Close
from messaging.realtime.socket.connection import Connection

connected = Gauge("messaging_realtime_connections", "Open sockets of this node", ["state"])


@dataclass(slots=True)
class Person:
    """Somebody with at least one connection here."""

    user_id: UUID
    connections: list[Connection] = field(default_factory=list)


class People:
    """Everybody who is connected, and the sockets that have not said yet whose they are."""

    def __init__(self, *, per_person_max: int) -> None:
        self._per_person_max = per_person_max
        self._people: dict[UUID, Person] = {}
        self.sockets: set[Connection] = set()
        connected.labels("open").set_function(lambda: len(self.sockets))
        connected.labels("authenticated").set_function(
            lambda: sum(len(each.connections) for each in self._people.values())
        )

    def __len__(self) -> int:
        return len(self.sockets)

    def connections_of(self, user_id: UUID) -> Iterator[Connection]:
        person = self._people.get(user_id)
        yield from list(person.connections) if person is not None else ()

    def add(self, connection: Connection) -> bool:
        """It is this person's from now on. True: their first."""
        user_id = connection.user_id
        person = self._people.get(user_id)
        if person is None:
            person = self._people[user_id] = Person(user_id)
        too_many = max(0, len(person.connections) + 1 - self._per_person_max)
        for oldest in person.connections[:too_many]:
            oldest.close(Close.REPLACED)
        self._people[user_id] = person
        person.connections.append(connection)
        return len(person.connections) == 1

    def remove(self, connection: Connection) -> bool:
        """It is closing. True: it was their last."""
        person = self._people.get(connection.user_id)
        if person is None or connection not in person.connections:
            return False
        person.connections.remove(connection)
        if person.connections:
            return False
        del self._people[connection.user_id]
        return True
