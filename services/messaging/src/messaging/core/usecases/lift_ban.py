"""Lift a ban: who was banned may come in again, and is not in by that."""

from __future__ import annotations

from messaging.core.domain.commands import MemberCommand
from messaging.core.domain.dialog import MemberStatus
from messaging.core.domain.membership import MemberNotFoundError
from messaging.core.domain.permissions import Act, Role
from messaging.core.usecases.announce_member import announce_member
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.ports import Tx


async def lift_ban(command: MemberCommand, tx: Tx) -> None:
    """Raises ``MemberNotFoundError`` where there is none."""
    dialog, _ = await load_dialog_for(tx, command.dialog_id, command.by, Act.MANAGE_MEMBERS)
    if not await tx.members.lift_ban(command.dialog_id, command.user_id):
        raise MemberNotFoundError
    announce_member(dialog, command.user_id, tx, role=Role.MEMBER, status=MemberStatus.REMOVED, by=command.by)
