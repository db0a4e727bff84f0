"""An owner of a dialog is one no longer, and stays in it."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog
from messaging.core.domain.permissions import Role
from messaging.core.usecases.announce_member import announce_member
from messaging.core.usecases.ports import Tx


async def demote_owner(dialog: Dialog, user_id: UUID, role: Role, by: UUID | None, tx: Tx) -> None:
    """``role``: what they are from now on."""
    await tx.members.set_role(dialog.dialog_id, user_id, role)
    member = await tx.dialogs.find_member(dialog.dialog_id, user_id)
    assert member is not None  # noqa: S101 -- they own a dialog whose row is locked
    announce_member(dialog, user_id, tx, role=role, status=member.status, by=by, muted_until=member.muted_until)
