"""One at a time for what a person may have so many of: counted and added under a lock, none is one too many."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection
from messaging.core.domain.allowance import Allowance

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))"


class AllowanceStore(OnConnection):
    async def hold(self, user_id: UUID, of: Allowance) -> None:
        """Until the end of the transaction, nobody else adds to what this person has of it."""
        await self._conn.execute(_LOCK, str(user_id), of.value)
