"""Mute a member, who then reads and does not write, or take a mute back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from messaging.core.domain.commands import MemberCommand
from messaging.core.domain.dialog import MemberStatus
from messaging.core.domain.membership import MuteOverError, require_above, require_shared
from messaging.core.domain.permissions import Act
from messaging.core.usecases.announce_member import announce_member
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.load_present_member import load_present_member
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.require_not_shop_owner import require_not_shop_owner


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteMember(MemberCommand):
    """``until`` None: until it is taken back."""

    muted: bool
    until: datetime | None = None


async def mute_member(command: MuteMember, tx: Tx) -> None:
    """Raises ``MuteOverError`` for a mute that ends in the past."""
    until = command.until
    if until is not None and until <= tx.now:
        raise MuteOverError(pointer="/muted_until")
    dialog, actor = await load_dialog_for(tx, command.dialog_id, command.by, Act.MANAGE_MEMBERS)
    require_shared(dialog)
    member = await load_present_member(command.dialog_id, command.user_id, tx)
    require_above(actor, member)
    if command.muted:
        await require_not_shop_owner(dialog, command.user_id, tx)
    await tx.members.set_muted(command.dialog_id, command.user_id, muted=command.muted, until=until)
    status = MemberStatus.MUTED if command.muted else MemberStatus.ACTIVE
    announce_member(dialog, command.user_id, tx, role=member.role, status=status, by=command.by, muted_until=until)
