"""Leave a dialog by one's own decision."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.dialog import DialogKind, MemberStatus
from messaging.core.domain.membership import OwnerStaysError, require_shared
from messaging.core.domain.permissions import Role
from messaging.core.usecases.end_membership import end_membership
from messaging.core.usecases.load_dialog_of_member import load_dialog_of_member
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveDialog:
    dialog_id: UUID
    user_id: UUID


async def leave_dialog(command: LeaveDialog, tx: Tx) -> None:
    """The owner leaves as the last person, or hands over first. Of dialogs of two, only one with a bot can be left."""
    dialog, member = await load_dialog_of_member(tx, command.dialog_id, command.user_id)
    if dialog.kind != DialogKind.BOT:
        require_shared(dialog)
    if (
        member.role is Role.OWNER
        and await tx.members.next_owner_of(command.dialog_id, besides=command.user_id) is not None
    ):
        raise OwnerStaysError
    await end_membership(dialog, command.user_id, MemberStatus.LEFT, command.user_id, tx)
