"""One person's acts one after the other, until the account ends. In Postgres: an advisory lock and a row."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from asyncpg import Connection

from commerce.domain.account import AccountEndedError
from commerce.domain.ids import UserId


class AccountStore:
    """Implements ``AccountStore``."""

    LOCK: ClassVar[str] = "SELECT pg_advisory_xact_lock(hashtextextended('commerce.account:' || $1::text, 0))"

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def lock(self, user_id: UserId) -> None:
        # A statement of its own: the snapshot of what is read next must be younger than the lock.
        await self._conn.execute(self.LOCK, str(user_id))

    async def lock_alive(self, user_id: UserId) -> None:
        await self.lock(user_id)
        if await self._conn.fetchval("SELECT true FROM account_ended WHERE user_id = $1", user_id):
            raise AccountEndedError

    async def end(self, user_id: UserId, at: datetime) -> bool:
        done = await self._conn.execute(
            "INSERT INTO account_ended (user_id, ended_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", user_id, at
        )
        return bool(done == "INSERT 0 1")
