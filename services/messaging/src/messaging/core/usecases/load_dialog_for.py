"""Lock a dialog for an act of somebody who may act in it."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog, Membership
from messaging.core.domain.permissions import Act
from messaging.core.usecases.ports import Tx


async def load_dialog_for(tx: Tx, dialog_id: UUID, user_id: UUID, act: Act) -> tuple[Dialog, Membership]:
    """The dialog, locked, and their place in it. Raises ``DialogNotFoundError`` and what else hinders the act."""
    dialog = await tx.stream.lock(dialog_id)
    member = dialog.require(await tx.dialogs.find_member(dialog_id, user_id), act, tx.now)
    return dialog, member
