"""Follow somebody no longer."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import UserId
from auth.domain.relation import RelationChanged, RelationKind
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfollowPerson:
    user_id: UserId
    other_id: UserId


async def unfollow_person(command: UnfollowPerson, tx: Tx) -> None:
    await tx.relations.lock_pair(command.user_id, command.other_id)
    ended = await tx.relations.set(RelationKind.FOLLOW, command.user_id, command.other_id, tx.now, active=False)
    if ended:
        tx.events.add(RelationChanged(ended))
