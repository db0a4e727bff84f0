"""Unblock somebody."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import UserId
from auth.domain.relation import RelationChanged, RelationKind
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class UnblockPerson:
    user_id: UserId
    other_id: UserId


async def unblock_person(command: UnblockPerson, tx: Tx) -> None:
    await tx.relations.lock_pair(command.user_id, command.other_id)
    ended = await tx.relations.set(RelationKind.BLOCK, command.user_id, command.other_id, tx.now, active=False)
    if ended:
        tx.events.add(RelationChanged(ended))
