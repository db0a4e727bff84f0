"""Remove a member, or ban somebody, who then cannot come in."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.core.domain.commands import MemberCommand
from messaging.core.domain.dialog import Dialog, MemberStatus
from messaging.core.domain.membership import MemberNotFoundError, require_above, require_shared
from messaging.core.domain.permissions import Act, Role
from messaging.core.usecases.announce_member import announce_member
from messaging.core.usecases.end_member_acts import end_member_acts
from messaging.core.usecases.end_membership import end_membership
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.require_not_shop_owner import require_not_shop_owner


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMember(MemberCommand):
    """``ban``: they cannot come back, and somebody who is not in cannot come in."""

    ban: bool = False


async def remove_member(command: RemoveMember, tx: Tx) -> None:
    """Raises ``MemberNotFoundError`` where nobody is removed; a ban of somebody banned changes nothing."""
    dialog, actor = await load_dialog_for(tx, command.dialog_id, command.by, Act.MANAGE_MEMBERS)
    require_shared(dialog)
    member = await tx.dialogs.find_member(command.dialog_id, command.user_id)
    if member is not None and member.present:
        require_above(actor, member)
        await require_not_shop_owner(dialog, command.user_id, tx)
        status = MemberStatus.BANNED if command.ban else MemberStatus.REMOVED
        await end_membership(dialog, command.user_id, status, command.by, tx)
        return
    if not command.ban:
        raise MemberNotFoundError
    await require_not_shop_owner(dialog, command.user_id, tx)
    if member is None or member.status is not MemberStatus.BANNED:
        await _ban_non_member(command, dialog, tx)


async def _ban_non_member(command: RemoveMember, dialog: Dialog, tx: Tx) -> None:
    user_id, by = command.user_id, command.by
    seq = announce_member(dialog, user_id, tx, role=Role.MEMBER, status=MemberStatus.BANNED, by=by)
    await tx.members.ban_non_member(dialog, user_id, tx.now, seq=seq)
    await end_member_acts(dialog, user_id, by, tx)
