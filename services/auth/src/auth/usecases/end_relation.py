"""End a friendship, a block or a follow, without asking the other."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import UserId
from auth.domain.relation import RelationChanged, RelationKind
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRelation:
    kind: RelationKind
    user_id: UserId
    other_id: UserId


async def end_relation(command: EndRelation, tx: Tx) -> None:
    me, other = command.user_id, command.other_id
    await tx.relations.lock_pair(me, other)
    if command.kind is RelationKind.FRIEND:
        await tx.relations.lock_people((), {me, other})
    ended = await tx.relations.set(command.kind, me, other, tx.now, active=False)
    if ended:
        tx.events.add(RelationChanged(ended))
