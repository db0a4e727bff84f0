"""Lanes: the outbox split by key, one owner each, so that several relays share the work and order holds.

A lane's owner holds a session advisory lock; when its connection dies, the lock dies with it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

from eventing.database import Connection

_MEMBER: Final = 0x7FFF_FFFF


def lane_of(key: str, lanes: int) -> int:
    """The same lane for the same key, in every process and on every day."""
    return zlib.crc32(key.encode()) % lanes


def lock_class(schema: str) -> int:
    """First half of the advisory lock ids of a schema's lanes, as a signed 32-bit number."""
    return zlib.crc32(f"eventing.lanes:{schema}".encode()) - 2**31


def fair_share(lanes: int, relays: int) -> int:
    """How many lanes one of ``relays`` may own at most."""
    return -(-lanes // max(1, relays))


class Lanes:
    """The lanes one relay owns, on the one connection whose session holds their locks."""

    def __init__(self, conn: Connection, schema: str, lanes: int) -> None:
        self._conn = conn
        self._class = lock_class(schema)
        self._count = lanes
        self.owned: frozenset[int] = frozenset()

    async def join(self) -> None:
        """Be counted as a relay of this schema for as long as the connection lives."""
        await self._take([], 0)
        await self._release([])
        await self._conn.execute("SELECT pg_advisory_lock_shared($1, $2)", self._class, _MEMBER)

    async def rebalance(self, lanes_in_use: int = 0) -> None:
        """Give up lanes beyond a fair share, take free ones up to it. Nothing may be in flight meanwhile."""
        self._count = max(self._count, lanes_in_use)
        share = fair_share(self._count, await self._members())
        if surplus := sorted(self.owned)[share:]:
            await self._release(surplus)
            self.owned -= frozenset(surplus)
        if len(self.owned) < share:
            free = sorted(frozenset(range(self._count)) - self.owned)
            self.owned |= await self._take(free, share - len(self.owned))

    async def _take(self, candidates: Sequence[int], wanted: int) -> frozenset[int]:
        rows = await self._conn.fetch(
            """SELECT lane FROM unnest($2::int[]) AS lane WHERE pg_try_advisory_lock($1, lane) LIMIT $3""",
            self._class,
            candidates,
            wanted,
        )
        return frozenset(row["lane"] for row in rows)

    async def _release(self, lanes: Sequence[int]) -> None:
        await self._conn.fetch("SELECT pg_advisory_unlock($1, lane) FROM unnest($2::int[]) AS lane", self._class, lanes)

    async def _members(self) -> int:
        members: int = await self._conn.fetchval(
            """SELECT count(*) FROM pg_locks
               WHERE locktype = 'advisory' AND granted AND mode = 'ShareLock' AND objsubid = 2
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND classid = $1::bigint::oid AND objid = $2::bigint::oid""",
            self._class % 2**32,
            _MEMBER,
        )
        return members
