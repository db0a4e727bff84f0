"""Up to which epoch of a person's access everything that acted for them has ended, and the lock on it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection

# Differs from the keys of ``allowances``. Not the account's row: that one is written by every sign of life.
_KEY: Final = 34
_END_BOT_ACCESS: Final = """
    UPDATE bot SET token_hash = sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
        webhook_url = NULL, webhook_secret = NULL, failing_since = NULL, failures = 0, next_attempt_at = NULL
    WHERE owner_id = $1
"""


class AccessStore(OnConnection):
    async def lock(self, user_id: UUID) -> None:
        """Until the end of the transaction nobody else holds or shares it; those who did have committed."""
        await self._conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))", str(user_id), _KEY)

    async def share(self, user_id: UUID) -> None:
        """Until the end of the transaction nobody locks it."""
        await self._conn.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended($1::text, $2))", str(user_id), _KEY
        )

    async def epoch(self, user_id: UUID) -> int:
        """0 of whom nothing was heard."""
        found: int | None = await self._conn.fetchval("SELECT access_epoch FROM account WHERE user_id = $1", user_id)
        return found or 0

    async def set_epoch(self, user_id: UUID, epoch: int) -> None:
        await self._conn.execute(
            "INSERT INTO account (user_id, access_epoch) VALUES ($1, $2) "
            "ON CONFLICT (user_id) DO UPDATE SET access_epoch = excluded.access_epoch",
            *(user_id, epoch),
        )

    async def end_bot_access(self, owner_id: UUID) -> None:
        """Tokens and webhooks that somebody's bots were given until now are worth nothing any more."""
        await self._conn.execute(_END_BOT_ACCESS, owner_id)
