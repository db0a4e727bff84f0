"""Lift a ban: who was banned may come in again, and is not in by that."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.dialog import MemberStatus
from messaging.core.domain.membership import MemberNotFoundError
from messaging.core.domain.permissions import Act, Role
from messaging.core.usecases.announce_member import announce_member
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftBan:
    dialog_id: UUID
    by: UUID
    user_id: UUID


async def lift_ban(command: LiftBan, tx: Tx) -> None:
    """Raises ``MemberNotFoundError`` where there is none."""
    dialog, _ = await load_dialog_for(tx, command.dialog_id, command.by, Act.MANAGE_MEMBERS)
    if not await tx.members.lift_ban(command.dialog_id, command.user_id):
        raise MemberNotFoundError
    announce_member(dialog, command.user_id, tx, role=Role.MEMBER, status=MemberStatus.REMOVED, by=command.by)
