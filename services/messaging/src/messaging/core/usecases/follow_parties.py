"""Who is in the dialogs about something follows from who is a party to it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.correlation import InFlow, same_flow
from messaging.core.domain.cards import Entity, EntityType
from messaging.core.domain.dialog import Dialog, MemberStatus
from messaging.core.domain.permissions import Role
from messaging.core.usecases.admit_members import admit_members
from messaging.core.usecases.end_membership import end_membership
from messaging.core.usecases.ports import Tx


async def follow_parties(topics: Sequence[tuple[Dialog, Entity]], tx: Tx, in_flow: InFlow = same_flow) -> None:
    """Who is a party now is in the entity's dialog, and nobody else. The dialogs are locked."""
    following = [each for each in topics if each[1].parties and each[1].type is not EntityType.PRODUCT]
    if not following:
        return
    present = await tx.members.present_user_ids([dialog.dialog_id for dialog, _ in following])
    fresh: dict[UUID, list[UUID]] = {}
    for dialog, entity in following:
        there = present[dialog.dialog_id]
        for user_id in sorted(there - set(entity.parties)):
            with in_flow(entity.id):
                await end_membership(dialog, user_id, MemberStatus.REMOVED, None, tx)
        fresh[dialog.dialog_id] = [each for each in dict.fromkeys(entity.parties) if each not in there]
    await admit_members(
        [(dialog, [(each, Role.MEMBER) for each in fresh[dialog.dialog_id]]) for dialog, _ in following],
        None,
        tx,
        in_flow,
    )
