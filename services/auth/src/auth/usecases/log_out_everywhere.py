"""End every session of a person, the one at hand too, and every waiting code (AUTH-4)."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.ids import UserId
from auth.domain.security_log import SecurityEvent
from auth.domain.session import RevocationReason
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOutEverywhere:
    user_id: UserId


async def log_out_everywhere(command: LogOutEverywhere, tx: Tx) -> int:
    """How many were ended. A sign-in that runs at the same moment comes before or after, not between."""
    user_id = command.user_id
    await tx.users.save(users.log_out_everywhere(await tx.users.lock(user_id)))
    await tx.networks.forget(user_id)
    await tx.security_log.write(SecurityEvent.LOGGED_OUT_EVERYWHERE, user_id=user_id)
    return len(await end_sessions(EndSessions(user_id=user_id, reason=RevocationReason.LOGOUT), tx))
