"""End sessions: one, all the others, or all.

Postgres is the truth. The announcement reaches the services twice: written to Redis right after the commit, and
again by whoever reads ``SessionRevoked`` or finds the row not yet announced.
"""

from __future__ import annotations

from auth.domain import user as users
from auth.domain.ids import SessionId, UserId
from auth.domain.security_log import Act
from auth.domain.session import RevocationReason, SessionNotFoundError, SessionRevoked
from auth.usecases.ports import Tools, Tx


async def revoke_session(
    user_id: UserId, session_id: SessionId, reason: RevocationReason, tx: Tx, tools: Tools
) -> None:
    """Raises ``SessionNotFoundError``, also for somebody else's session."""
    if not await end_session(user_id, session_id, reason, tx, tools):
        raise SessionNotFoundError


async def revoke_other_sessions(user_id: UserId, keep: SessionId, tx: Tx, tools: Tools) -> int:
    """How many were ended."""
    return len(await end_sessions(user_id, RevocationReason.REVOKED_BY_USER, tx, tools, keep=keep))


async def log_out_everywhere(user_id: UserId, tx: Tx, tools: Tools) -> int:
    """Every session, this one too, and every waiting code (AUTH-4); a sign-in that runs at the same moment comes before
    or after, not between.
    """
    user = users.log_out_everywhere(await tx.users.lock(user_id))
    await tx.users.save(user)
    await tx.networks.forget(user_id)
    await tx.audit.write(Act.LOGGED_OUT_EVERYWHERE, now=tools.clock.now(), user_id=user_id)
    return len(await end_sessions(user_id, RevocationReason.LOGOUT, tx, tools))


async def end_session(user_id: UserId, session_id: SessionId, reason: RevocationReason, tx: Tx, tools: Tools) -> bool:
    """False when it is not the person's, or over already."""
    now = tools.clock.now()
    if not await tx.sessions.revoke(user_id, session_id, reason, now):
        return False
    await _tell(user_id, session_id, reason, tx, tools)
    return True


async def end_sessions(
    user_id: UserId, reason: RevocationReason, tx: Tx, tools: Tools, *, keep: SessionId | None = None
) -> list[SessionId]:
    ended = await tx.sessions.revoke_all(user_id, reason, tools.clock.now(), keep=keep)
    for session_id in ended:
        await _tell(user_id, session_id, reason, tx, tools)
    return ended


async def _tell(user_id: UserId, session_id: SessionId, reason: RevocationReason, tx: Tx, tools: Tools) -> None:
    now = tools.clock.now()
    await tx.audit.write(
        Act.SESSION_REVOKED, now=now, user_id=user_id, session_id=session_id, detail={"reason": reason}
    )
    tx.events.add(SessionRevoked(user_id=user_id, session_id=session_id, reason=reason, revoked_at=now))
