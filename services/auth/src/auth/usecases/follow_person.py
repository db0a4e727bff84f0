"""Follow somebody. To follow twice changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import UserId
from auth.domain.relation import RelationChanged, RelationKind, require_room
from auth.usecases.approach_person import ApproachPerson, approach_person
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowPerson:
    user_id: UserId
    other_id: UserId


async def follow_person(command: FollowPerson, tx: Tx) -> None:
    """Raises what ``approach_person`` raises, or ``GraphLimitError``."""
    me, other = command.user_id, command.other_id
    await approach_person(ApproachPerson(user_id=me, other_id=other, counted=frozenset({me})), tx)
    require_room(RelationKind.FOLLOW, await tx.relations.count(RelationKind.FOLLOW, me))
    begun = await tx.relations.set(RelationKind.FOLLOW, me, other, tx.now, active=True)
    if begun:
        tx.events.add(RelationChanged(begun))
