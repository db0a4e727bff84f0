"""Grant or withdraw a role, and end the waiting codes (AUTH-4).

A granted one is in the person's next access token. Withdrawing one ends every session: tokens that carry it are refused
everywhere within two seconds, as those of any ended session are.
"""

from __future__ import annotations

from auth.domain import user as users
from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.domain.security_log import Act
from auth.domain.session import RevocationReason
from auth.domain.user import User
from auth.usecases.ports import Tools, Tx
from auth.usecases.revoke_sessions import end_sessions


async def grant_role(user_id: UserId, role: Role, tx: Tx, tools: Tools) -> User:
    user = await tx.users.lock(user_id)
    return await _give(user, user.roles | {role}, tx, tools)


async def withdraw_role(user_id: UserId, role: Role, tx: Tx, tools: Tools) -> User:
    user = await tx.users.lock(user_id)
    return await _give(user, user.roles - {role}, tx, tools)


async def _give(before: User, roles: frozenset[Role], tx: Tx, tools: Tools) -> User:
    now = tools.clock.now()
    after, event = users.change_roles(before, roles, now)
    if event is None:
        return after
    await tx.users.save(after)
    if before.roles <= after.roles:
        await tx.sessions.rebase_all(after.id, after.token_version)
    else:
        await end_sessions(after.id, RevocationReason.ROLES_CHANGED, tx, tools)
    await tx.audit.write(Act.ROLES_CHANGED, now=now, user_id=before.id, detail={"roles": sorted(after.roles)})
    tx.events.add(event)
    return after
