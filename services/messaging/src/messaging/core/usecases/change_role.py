"""Give a member another role."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.core.domain.commands import MemberCommand
from messaging.core.domain.membership import OwnerStaysError, require_above, require_grantable, require_shared
from messaging.core.domain.permissions import Act, Role
from messaging.core.usecases.announce_member import announce_member
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.load_present_member import load_present_member
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.require_not_shop_owner import require_not_shop_owner


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRole(MemberCommand):
    role: Role


async def change_role(command: ChangeRole, tx: Tx) -> None:
    """Nobody acts on an equal or a superior, nor gives a role as high as their own. The same again changes nothing."""
    dialog, actor = await load_dialog_for(tx, command.dialog_id, command.by, Act.MANAGE_ROLES)
    require_shared(dialog)
    member = await load_present_member(command.dialog_id, command.user_id, tx)
    role = command.role
    if member.role is role:
        return
    if member.role is Role.OWNER:
        raise OwnerStaysError
    require_above(actor, member)
    require_grantable(actor, role)
    if role.rank < member.role.rank:
        await require_not_shop_owner(dialog, command.user_id, tx)
    await tx.members.set_role(command.dialog_id, command.user_id, role)
    announce_member(
        dialog, command.user_id, tx, role=role, status=member.status, by=command.by, muted_until=member.muted_until
    )
