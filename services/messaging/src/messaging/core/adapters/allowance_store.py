"""One at a time for what a person may have so many of: counted and added under a lock, none is one too many."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final
from uuid import UUID

import asyncpg

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))"


class Allowance(IntEnum):
    """What is counted. The values are part of the lock's key, and differ from all others in this service."""

    SCHEDULED = 31
    UPLOADS = 32
    BOTS = 33


class AllowanceStore:
    def __init__(self, conn: asyncpg.Connection[Any]) -> None:
        self._conn = conn

    async def hold(self, user_id: UUID, of: Allowance) -> None:
        """Until the end of the transaction, nobody else adds to what this person has of it."""
        await self._conn.execute(_LOCK, str(user_id), of.value)
