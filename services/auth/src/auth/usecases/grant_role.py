"""Grant a role: it is in the person's next access token, and the waiting codes end (AUTH-4)."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.domain.security_log import SecurityEvent
from auth.domain.user import User
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole:
    user_id: UserId
    role: Role


async def grant_role(command: GrantRole, tx: Tx) -> User:
    """The person with it. Raises ``UserNotFoundError``."""
    before = await tx.users.lock(command.user_id)
    after, changed = users.change_roles(before, before.roles | {command.role}, tx.now)
    if changed is None:
        return after
    await tx.users.save(after)
    await tx.sessions.rebase_all(after.id, after.token_version)
    await tx.security_log.write(SecurityEvent.ROLES_CHANGED, user_id=after.id, detail={"roles": sorted(after.roles)})
    tx.events.add(changed)
    return after
