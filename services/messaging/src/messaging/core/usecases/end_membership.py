"""End somebody's membership in a dialog whose row is locked, and tell everybody: the one way out for all use cases."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog, MemberStatus
from messaging.core.domain.permissions import Role
from messaging.core.usecases.announce_member import announce_member
from messaging.core.usecases.end_member_acts import end_member_acts
from messaging.core.usecases.ensure_owner import ensure_owner
from messaging.core.usecases.ports import Tx


async def end_membership(dialog: Dialog, user_id: UUID, status: MemberStatus, by: UUID | None, tx: Tx) -> None:
    """``status``: left, removed or banned. What the membership allowed ends; a dialog of many keeps an owner."""
    seq = announce_member(dialog, user_id, tx, role=Role.MEMBER, status=status, by=by)
    await tx.members.end_membership(dialog, user_id, status, seq=seq)
    await end_member_acts(dialog, user_id, by, tx)
    tx.accounts.change(user_id, "dialog.removed", dialog_id=dialog.dialog_id, payload={"reason": status.value})
    await ensure_owner(dialog, tx)
