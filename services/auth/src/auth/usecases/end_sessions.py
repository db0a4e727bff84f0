"""End sessions of a person: one, all but one, or all.

Postgres is the truth. The announcement reaches the services twice: written to Redis right after the commit, and
again by whoever reads ``SessionRevoked`` or finds the row not yet announced.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import SessionId, UserId
from auth.domain.security_log import SecurityEvent
from auth.domain.session import RevocationReason, SessionRevoked
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessions:
    """``only`` this one; without it all but ``keep``."""

    user_id: UserId
    reason: RevocationReason
    only: SessionId | None = None
    keep: SessionId | None = None


async def end_sessions(command: EndSessions, tx: Tx) -> list[SessionId]:
    """Those that were ended: none that is somebody else's, or over already."""
    user_id, reason = command.user_id, command.reason
    now = tx.now
    if command.only is None:
        ended = await tx.sessions.revoke_all(user_id, reason, now, keep=command.keep)
    else:
        ended = [command.only] if await tx.sessions.revoke(user_id, command.only, reason, now) else []
    for session_id in ended:
        await tx.security_log.write(
            SecurityEvent.SESSION_REVOKED, user_id=user_id, session_id=session_id, detail={"reason": reason}
        )
        tx.events.add(SessionRevoked(user_id=user_id, session_id=session_id, reason=reason, revoked_at=now))
    return ended
