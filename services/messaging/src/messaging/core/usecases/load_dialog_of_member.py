"""Lock a dialog for somebody who is in it, whatever they may do there."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog, Membership, require_present
from messaging.core.usecases.ports import Tx


async def load_dialog_of_member(tx: Tx, dialog_id: UUID, user_id: UUID) -> tuple[Dialog, Membership]:
    """The dialog, locked, and their place in it. Raises ``DialogNotFoundError``."""
    dialog = await tx.stream.lock(dialog_id)
    return dialog, require_present(await tx.dialogs.find_member(dialog_id, user_id))
