"""Make somebody who is in a dialog its owner."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog, MemberStatus
from messaging.core.domain.permissions import Role
from messaging.core.usecases.announce_member import announce_member
from messaging.core.usecases.ports import Tx


async def make_owner(dialog: Dialog, user_id: UUID, by: UUID | None, tx: Tx) -> None:
    """A mute ends with it: nobody stands above an owner to lift it."""
    await tx.members.set_owner(dialog.dialog_id, user_id)
    announce_member(dialog, user_id, tx, role=Role.OWNER, status=MemberStatus.ACTIVE, by=by)
