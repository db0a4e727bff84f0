"""Hand a dialog over to another owner."""

from __future__ import annotations

from messaging.core.domain.commands import MemberCommand
from messaging.core.domain.dialog import Membership, MemberStatus
from messaging.core.domain.membership import OwnerIsBotError, require_above, require_shared
from messaging.core.domain.permissions import Act, Role
from messaging.core.usecases.demote_owner import demote_owner
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.load_present_member import load_present_member
from messaging.core.usecases.make_owner import make_owner
from messaging.core.usecases.ports import Tx


async def transfer_dialog(command: MemberCommand, tx: Tx) -> None:
    """The new owner is a member and a person; the old one becomes an admin."""
    dialog, actor = await load_dialog_for(tx, command.dialog_id, command.by, Act.MANAGE_ROLES)
    require_shared(dialog)
    await load_present_member(command.dialog_id, command.user_id, tx)
    if actor.role is not Role.OWNER:
        require_above(actor, Membership(user_id=command.by, role=Role.OWNER, status=MemberStatus.ACTIVE))
    if command.user_id == command.by:
        return
    if await tx.people.bots_among([command.user_id]):
        raise OwnerIsBotError(pointer="/user_id")
    await demote_owner(dialog, command.by, Role.ADMIN, command.by, tx)
    await make_owner(dialog, command.user_id, command.by, tx)
