"""Newest aggregate_version handled per key, for subscriptions that reject stale messages.

A message is stale when its version is below the newest one handled; equal is not stale, because one change of an
aggregate may be told in several messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eventing.database import Connection
from eventing.received import Received

Place = tuple[str, str]  # (topic, key)


class Versions:
    """Within one transaction: rows read are locked until it ends."""

    def __init__(self, conn: Connection, schema: str, consumer: str) -> None:
        self._conn = conn
        self._schema = schema
        self._consumer = consumer
        self._newest: dict[Place, int] = {}

    async def stale(self, records: Sequence[Received]) -> list[Received]:
        """Which of the records are older than what was handled; they are in order."""
        places = sorted({place for place, _, _ in _versioned(records)})
        if not places:
            return []
        rows = await self._conn.fetch(
            f"""SELECT topic, key, version FROM {self._schema}.seen_version
                WHERE consumer = $1 AND (topic, key) IN (SELECT * FROM unnest($2::text[], $3::text[]))
                ORDER BY topic, key FOR UPDATE""",
            self._consumer,
            [topic for topic, _ in places],
            [key for _, key in places],
        )
        self._newest = {(row["topic"], row["key"]): row["version"] for row in rows}
        stale = []
        for place, version, record in _versioned(records):
            if version < self._newest.get(place, version):
                stale.append(record)
            else:
                self._newest[place] = version
        return stale

    async def remember(self, records: Sequence[Received]) -> None:
        """Store the newest versions of what was handled."""
        places = sorted({place for place, _, _ in _versioned(records)})
        if not places:
            return
        await self._conn.execute(
            f"""INSERT INTO {self._schema}.seen_version AS seen (consumer, topic, key, version)
                SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[])
                ON CONFLICT (consumer, topic, key) DO UPDATE SET version = greatest(seen.version, excluded.version)""",
            self._consumer,
            [topic for topic, _ in places],
            [key for _, key in places],
            [self._newest[place] for place in places],
        )


def _versioned(records: Iterable[Received]) -> Iterable[tuple[Place, int, Received]]:
    for record in records:
        message = record.message
        if (
            message is not None
            and message.aggregate_version is not None
            and record.handler is not None
            and record.handler.versioned
        ):
            yield (record.topic, message.key), message.aggregate_version, record
