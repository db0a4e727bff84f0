"""Sign out one device."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import SessionId, UserId
from auth.domain.session import RevocationReason, SessionNotFoundError
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSession:
    user_id: UserId
    session_id: SessionId


async def revoke_session(command: RevokeSession, tx: Tx) -> None:
    """Raises ``SessionNotFoundError``, also for somebody else's session."""
    reason = RevocationReason.REVOKED_BY_USER
    if not await end_sessions(EndSessions(user_id=command.user_id, only=command.session_id, reason=reason), tx):
        raise SessionNotFoundError
