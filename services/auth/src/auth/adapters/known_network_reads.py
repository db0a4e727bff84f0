"""How well an account is known where a request comes from."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from auth.domain.ids import UserId
from auth.domain.place import UNKNOWN_PLACE, Familiarity, Place
from chassis.postgres import Database

_NOBODY: Final = UUID(int=0)
_FAMILIARITY: Final = """
SELECT bool_or(network = $2::text::cidr) FROM known_network WHERE user_id = $1 AND network <<= $3::text::cidr
"""


class KnownNetworkReads:
    """The same work for accounts that do not exist."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def familiarity(self, user_id: UserId | None, place: Place) -> Familiarity:
        if place is UNKNOWN_PLACE:
            return Familiarity.NONE
        async with self._database.read() as conn:
            exact = await conn.fetchval(_FAMILIARITY, user_id or _NOBODY, place.address, place.network)
        if exact is None:
            return Familiarity.NONE
        return Familiarity.ADDRESS if exact else Familiarity.NETWORK
