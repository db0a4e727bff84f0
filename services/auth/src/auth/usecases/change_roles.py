"""Grant or withdraw a role. The person's next access token carries it; the present one is replaced within 15 min."""

from __future__ import annotations

from auth.domain import user as users
from auth.domain.audit import Act
from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.domain.user import User
from auth.usecases.ports import Tx
from kernel.clock import Clock


async def grant_role(user_id: UserId, role: Role, tx: Tx, clock: Clock) -> User:
    user = await tx.users.lock(user_id)
    return await _give(user, user.roles | {role}, tx, clock)


async def withdraw_role(user_id: UserId, role: Role, tx: Tx, clock: Clock) -> User:
    user = await tx.users.lock(user_id)
    return await _give(user, user.roles - {role}, tx, clock)


async def _give(before: User, roles: frozenset[Role], tx: Tx, clock: Clock) -> User:
    now = clock.now()
    after, event = users.change_roles(before, roles, now)
    if event:
        await tx.users.save(after)
        await tx.audit.write(Act.ROLES_CHANGED, now=now, user_id=before.id, detail={"roles": sorted(after.roles)})
        tx.events.add(event)
    return after
