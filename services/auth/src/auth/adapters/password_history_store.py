"""The last passwords of each person, as hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from auth.domain.ids import UserId
from auth.domain.password import HISTORY_COUNT
from chassis.postgres import OnConnection

_RECENT: Final = """
SELECT password_hash FROM password_history WHERE user_id = $1 ORDER BY changed_at DESC LIMIT $2
"""
_REMEMBER: Final = """
INSERT INTO password_history (user_id, changed_at, password_hash) VALUES ($1, $2, $3)
"""
_FORGET: Final = """
DELETE FROM password_history WHERE user_id = $1
"""
_FORGET_OLDER: Final = """
DELETE FROM password_history WHERE user_id = $1 AND changed_at NOT IN (
    SELECT changed_at FROM password_history WHERE user_id = $1 ORDER BY changed_at DESC LIMIT $2
)
"""


class PasswordHistoryStore(OnConnection):
    async def recent(self, user_id: UserId, count: int) -> list[str]:
        rows = await self._conn.fetch(_RECENT, user_id, count)
        return [row["password_hash"] for row in rows]

    async def remember(self, user_id: UserId, password_hash: str, now: datetime) -> None:
        await self._conn.execute(_REMEMBER, user_id, now, password_hash)
        await self._conn.execute(_FORGET_OLDER, user_id, HISTORY_COUNT)

    async def forget(self, user_id: UserId) -> None:
        await self._conn.execute(_FORGET, user_id)
