"""One person's acts one after the other, until the account ends. In Postgres: an advisory lock and a row."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from chassis.postgres import OnConnection
from commerce.domain.account import AccountEndedError
from commerce.domain.ids import UserId
from kernel.rows import rows_affected

LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('commerce.account:' || $1::text, 0))"
HAS_ENDED: Final = "SELECT true FROM account_ended WHERE user_id = $1"
END: Final = "INSERT INTO account_ended (user_id, ended_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"


class AccountStore(OnConnection):
    """Implements ``AccountStore``."""

    async def lock(self, user_id: UserId) -> None:
        # A statement of its own: the snapshot of what is read next must be younger than the lock.
        await self._conn.execute(LOCK, str(user_id))

    async def lock_alive(self, user_id: UserId) -> None:
        await self.lock(user_id)
        if await self._conn.fetchval(HAS_ENDED, user_id):
            raise AccountEndedError

    async def end(self, user_id: UserId, at: datetime) -> bool:
        status = await self._conn.execute(END, user_id, at)
        return rows_affected(status) > 0
