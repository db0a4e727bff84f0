"""Lanes: the outbox split by key, one owner each, so that several relays share the work and order holds.

A lane's owner holds a session advisory lock; when its connection dies, the lock dies with it. Any role of the database
may take any advisory lock, so who is a relay is told by the sessions of this role, never by a lock; and a lane that
another role has locked is told as withheld.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

from eventing.database import Connection

_MEMBERS: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = session_user AND application_name = $1
"""
_WITHHELD: Final = """
    SELECT DISTINCT objid::bigint AS lane FROM pg_locks l
    WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND objid::bigint < $2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = $1::bigint::oid
      AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = l.pid AND a.usename = session_user)
    ORDER BY lane
"""


def lane_of(key: str, lanes: int) -> int:
    """The same lane for the same key, in every process and on every day."""
    return zlib.crc32(key.encode()) % lanes


def lock_class(schema: str) -> int:
    """First half of the advisory lock ids of a schema's lanes, as a signed 32-bit number."""
    return zlib.crc32(f"eventing.lanes:{schema}".encode()) - 2**31


def fair_share(lanes: int, relays: int) -> int:
    """How many lanes one of ``relays`` may own at most."""
    return -(-lanes // max(1, relays))


def session_name(schema: str) -> str:
    """How the sessions of a schema's relays are called; the relays of a schema are its role's sessions of this name."""
    return f"{schema}.relay"


class Lanes:
    """The lanes one relay owns, on the one connection whose session holds their locks."""

    def __init__(self, conn: Connection, schema: str, lanes: int) -> None:
        self._conn = conn
        self._class = lock_class(schema)
        self._relays = session_name(schema)
        self._count = lanes
        self.owned: frozenset[int] = frozenset()
        self.withheld: tuple[int, ...] = ()
        """Lanes that this relay would own, had no other role locked them."""

    async def prepare(self) -> None:
        """Have every statement prepared before the first lock is taken."""
        await self._take([], 0)
        await self._release([])
        await self._members()
        await self._locked_by_others()

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
        self.withheld = await self._locked_by_others() if len(self.owned) < share else ()

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
        members: int = await self._conn.fetchval(_MEMBERS, self._relays)
        return members

    async def _locked_by_others(self) -> tuple[int, ...]:
        rows = await self._conn.fetch(_WITHHELD, self._class % 2**32, self._count)
        return tuple(row["lane"] for row in rows)
