"""Come into a dialog that is public."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.usecases.find_shop_owner import find_shop_owner
from messaging.core.usecases.join_dialog import Joined, join_dialog
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinPublicDialog:
    """``message``: for whoever decides, where somebody has to agree."""

    dialog_id: UUID
    user_id: UUID
    message: str = ""


async def join_public_dialog(command: JoinPublicDialog, tx: Tx) -> Joined:
    """To whoever is not let in, a dialog that is not public does not exist."""
    dialog = await tx.stream.lock(command.dialog_id)
    if not dialog.is_public and await find_shop_owner(dialog, tx) != command.user_id:
        raise DialogNotFoundError
    how, _ = await join_dialog(dialog, command.user_id, command.message, tx)
    return how
