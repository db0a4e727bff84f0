"""From where each person signed in with success: kept in ``known_network``, forgotten after ninety days without.

The exact address (for IPv6 the /64 a subscriber gets) is kept; the network around it counts as known, too, but less.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from auth.domain.ids import UserId
from auth.domain.place import UNKNOWN_PLACE, place_of
from chassis.postgres import OnConnection

_REMEMBER: Final = """
INSERT INTO known_network (user_id, network, seen_at) VALUES ($1, $2::text::cidr, $3)
ON CONFLICT (user_id, network) DO UPDATE SET seen_at = excluded.seen_at
WHERE known_network.seen_at < excluded.seen_at - interval '1 day'
"""
_FORGET: Final = """
DELETE FROM known_network WHERE user_id = $1
"""


class KnownNetworkStore(OnConnection):
    async def remember(self, user_id: UserId, ip: str | None, now: datetime) -> None:
        place = place_of(ip)
        if place is not UNKNOWN_PLACE:
            await self._conn.execute(_REMEMBER, user_id, place.address, now)

    async def forget(self, user_id: UserId) -> None:
        await self._conn.execute(_FORGET, user_id)
