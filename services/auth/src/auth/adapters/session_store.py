"""Sessions in ``session``: begun, carried over, revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from auth.domain.ids import SessionId, UserId
from auth.domain.refresh_token import RefreshToken
from auth.domain.session import RevocationReason, Session
from chassis.postgres import OnConnection
from kernel.rows import rows_affected

_INSERT: Final = """
INSERT INTO session (id, user_id, method, device_name, ip, token_version, started_at, expires_at,
                     generation, refresh_hash, rotated_at, rotated_before_at)
VALUES ($1, $2, $3, $4, $5::text::inet, $6, $7, $8, $9, $10, $7, '-infinity')
"""
_REVOKE: Final = """
UPDATE session SET revoked_at = $4, revocation_reason = $3
WHERE id = $2 AND user_id = $1 AND revoked_at IS NULL
"""
_REVOKE_ALL: Final = """
UPDATE session SET revoked_at = $3, revocation_reason = $2
WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $4
RETURNING id
"""
_REBASE_ALL: Final = """
UPDATE session SET token_version = $2 WHERE user_id = $1 AND revoked_at IS NULL AND token_version = $2 - 1
"""
_REBASE: Final = """
UPDATE session SET token_version = $2 WHERE id = $1 AND revoked_at IS NULL
"""
_IS_ALIVE: Final = """
SELECT true FROM session WHERE id = $1 AND revoked_at IS NULL
"""


class SessionStore(OnConnection):
    async def add(self, session: Session, token: RefreshToken, *, token_version: int, ip: str | None) -> None:
        await self._conn.execute(
            _INSERT,
            session.id,
            session.user_id,
            session.method,
            session.device_name,
            ip,
            token_version,
            session.started_at,
            session.expires_at,
            token.generation,
            token.hash(),
        )

    async def revoke(self, user_id: UserId, session_id: SessionId, reason: RevocationReason, now: datetime) -> bool:
        return rows_affected(await self._conn.execute(_REVOKE, user_id, session_id, reason, now)) == 1

    async def revoke_all(
        self, user_id: UserId, reason: RevocationReason, now: datetime, *, keep: SessionId | None = None
    ) -> list[SessionId]:
        rows = await self._conn.fetch(_REVOKE_ALL, user_id, reason, now, keep)
        return [SessionId(row["id"]) for row in rows]

    async def rebase(self, session_id: SessionId, token_version: int) -> None:
        await self._conn.execute(_REBASE, session_id, token_version)

    async def rebase_all(self, user_id: UserId, token_version: int) -> None:
        await self._conn.execute(_REBASE_ALL, user_id, token_version)

    async def is_alive(self, session_id: SessionId) -> bool:
        return bool(await self._conn.fetchval(_IS_ALIVE, session_id))
