"""Withdraw a role, and end the waiting codes (AUTH-4) and every session of the person.

Tokens that carry the role are refused everywhere within two seconds, as those of any ended session are.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.domain.security_log import SecurityEvent
from auth.domain.session import RevocationReason
from auth.domain.user import User
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRole:
    user_id: UserId
    role: Role


async def withdraw_role(command: WithdrawRole, tx: Tx) -> User:
    """The person without it. Raises ``UserNotFoundError``."""
    before = await tx.users.lock(command.user_id)
    after, changed = users.change_roles(before, before.roles - {command.role}, tx.now)
    if changed is None:
        return after
    await tx.users.save(after)
    await end_sessions(EndSessions(user_id=after.id, reason=RevocationReason.ROLES_CHANGED), tx)
    await tx.security_log.write(SecurityEvent.ROLES_CHANGED, user_id=after.id, detail={"roles": sorted(after.roles)})
    tx.events.add(changed)
    return after
