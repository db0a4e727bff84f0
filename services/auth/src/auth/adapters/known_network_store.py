"""From where each person signed in with success: kept in ``known_network``, forgotten after ninety days without.

The exact address (for IPv6 the /64 a subscriber gets) is kept; the network around it counts as known, too, but less.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from auth.adapters.address_limit_store import place_of
from auth.domain.delays import UNKNOWN_PLACE, Familiarity, Place
from auth.domain.ids import UserId
from chassis.postgres import Database

_NOBODY: Final = UUID(int=0)
_REMEMBER: Final = """
INSERT INTO known_network (user_id, network, seen_at) VALUES ($1, $2::text::cidr, $3)
ON CONFLICT (user_id, network) DO UPDATE SET seen_at = excluded.seen_at
WHERE known_network.seen_at < excluded.seen_at - interval '1 day'
"""
_FAMILIARITY: Final = """
SELECT bool_or(network = $2::text::cidr) FROM known_network WHERE user_id = $1 AND network <<= $3::text::cidr
"""


class KnownNetworks:
    """Bound to one transaction."""

    def __init__(self, conn: asyncpg.Connection[Any]) -> None:
        self._conn = conn

    async def remember(self, user_id: UserId, ip: str | None, now: datetime) -> None:
        place = place_of(ip)
        if place is not UNKNOWN_PLACE:
            await self._conn.execute(_REMEMBER, user_id, place.address, now)

    async def forget(self, user_id: UserId) -> None:
        await self._conn.execute("DELETE FROM known_network WHERE user_id = $1", user_id)


class Familiarities:
    """How well an account is known where a request comes from; the same work for accounts that do not exist."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user_id: UserId | None, place: Place) -> Familiarity:
        if place is UNKNOWN_PLACE:
            return Familiarity.NONE
        async with self._database.read() as conn:
            exact = await conn.fetchval(_FAMILIARITY, user_id or _NOBODY, place.address, place.network)
        if exact is None:
            return Familiarity.NONE
        return Familiarity.ADDRESS if exact else Familiarity.NETWORK
