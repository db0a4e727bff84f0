"""Connections of this node, by person. At most so many each: the oldest makes room for the newest."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from prometheus_client import Gauge

from messaging.realtime.domain.codes import Close
from messaging.realtime.socket.connection import Connection

connected = Gauge("messaging_realtime_connections", "Open sockets of this node", ["state"])


class People:
    """Everybody who is connected, and the sockets that have not said yet whose they are."""

    def __init__(self, *, per_person_max: int) -> None:
        self._per_person_max = per_person_max
        self._people: dict[UUID, list[Connection]] = {}
        self.sockets: set[Connection] = set()
        connected.labels("open").set_function(lambda: len(self.sockets))
        connected.labels("authenticated").set_function(lambda: sum(map(len, self._people.values())))

    def __len__(self) -> int:
        return len(self.sockets)

    def connections_of(self, user_id: UUID) -> Iterator[Connection]:
        yield from list(self._people.get(user_id, ()))

    def add(self, connection: Connection) -> bool:
        """It is this person's from now on. True: their first."""
        theirs = self._people.setdefault(connection.user_id, [])
        too_many = max(0, len(theirs) + 1 - self._per_person_max)
        for oldest in theirs[:too_many]:
            oldest.close(Close.REPLACED)
        self._people[connection.user_id] = theirs
        theirs.append(connection)
        return len(theirs) == 1

    def remove(self, connection: Connection) -> bool:
        """It is closing. True: it was their last."""
        theirs = self._people.get(connection.user_id, [])
        if connection not in theirs:
            return False
        theirs.remove(connection)
        if theirs:
            return False
        del self._people[connection.user_id]
        return True
