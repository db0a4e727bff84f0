"""Close a dialog, which is then read and not written, and open it again."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.core.domain.commands import DialogCommand
from messaging.core.domain.dialog import NotAllowedError
from messaging.core.domain.membership import require_shared
from messaging.core.domain.permissions import Act
from messaging.core.usecases.load_dialog_of_member import load_dialog_of_member
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDialog(DialogCommand):
    """``closed`` False: open it again."""

    closed: bool


async def close_dialog(command: CloseDialog, tx: Tx) -> None:
    """The same again changes nothing. Raises ``NotAllowedError`` to who does not manage roles."""
    dialog, member = await load_dialog_of_member(tx, command.dialog_id, command.by)
    require_shared(dialog)
    if not dialog.allows(member, Act.MANAGE_ROLES):
        raise NotAllowedError
    if dialog.closed != command.closed:
        at = tx.now if command.closed else None
        await tx.dialogs.change(command.dialog_id, {"archived_at": at})
        tx.stream.change(dialog, "dialog.changed", actor_id=command.by, payload={"dialog": {"closed_at": at}})
