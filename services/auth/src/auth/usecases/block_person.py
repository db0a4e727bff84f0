"""Block somebody: what was between the two ends with it (AUTH-21)."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import friend_request
from auth.domain.ids import UserId
from auth.domain.relation import RelationChanged, RelationKind, require_room, require_two
from auth.domain.user import UserNotFoundError
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPerson:
    user_id: UserId
    other_id: UserId


async def block_person(command: BlockPerson, tx: Tx) -> bool:
    """Whether the other blocks this person, too. The block is set then as well, and the caller is answered as if the
    other did not exist.

    Raises ``NotWithOneselfError``, ``UserNotFoundError`` or ``GraphLimitError``.
    """
    me, other, now = command.user_id, command.other_id, tx.now
    require_two(me, other)
    await tx.relations.lock_pair(me, other)
    if not await tx.relations.lock_people({me}, {other}):
        raise UserNotFoundError
    require_room(RelationKind.BLOCK, await tx.relations.count(RelationKind.BLOCK, me))
    for kind, one, two in (
        (RelationKind.FRIEND, me, other),
        (RelationKind.FOLLOW, me, other),
        (RelationKind.FOLLOW, other, me),
    ):
        ended = await tx.relations.set(kind, one, two, now, active=False)
        if ended:
            tx.events.add(RelationChanged(ended))
    waiting = await tx.friend_requests.find_waiting(me, other)
    if waiting is not None:
        closed, fact = friend_request.close(waiting, friend_request.refusal_by(me, waiting), now)
        await tx.friend_requests.save(closed)
        tx.events.add(fact)
    begun = await tx.relations.set(RelationKind.BLOCK, me, other, now, active=True)
    if begun:
        tx.events.add(RelationChanged(begun))
    return await tx.relations.has(RelationKind.BLOCK, other, me)
