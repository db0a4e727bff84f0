"""Lock two people before one of them does something that the other has not asked for.

A blocked person is answered as if the other did not exist, whatever they ask.
What counts for somebody's limits happens under the lock of their row, which the end of an account takes, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import UserId
from auth.domain.relation import RelationKind, require_two
from auth.domain.user import UserNotFoundError
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachPerson:
    """``counted``: those of the two whose limits are asked next."""

    user_id: UserId
    other_id: UserId
    counted: frozenset[UserId]


async def approach_person(command: ApproachPerson, tx: Tx) -> None:
    """Raises ``NotWithOneselfError``; ``UserNotFoundError`` for somebody unknown, and when either blocks the other."""
    me, other = command.user_id, command.other_id
    require_two(me, other)
    await tx.relations.lock_pair(me, other)
    known = await tx.relations.lock_people(command.counted, {me, other})
    blocked = await tx.relations.has(RelationKind.BLOCK, me, other) or await tx.relations.has(
        RelationKind.BLOCK, other, me
    )
    if blocked or not known:
        raise UserNotFoundError
