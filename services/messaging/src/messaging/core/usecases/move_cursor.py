"""A person has received or read up to a seq, or marks the dialog as unread for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.cursor import Cursor
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveCursor:
    """0 and None: say nothing."""

    dialog_id: UUID
    user_id: UUID
    delivered_seq: int = 0
    read_seq: int = 0
    marked_unread: bool | None = None


async def move_cursor(command: MoveCursor, tx: Tx) -> None:
    """Raises ``DialogNotFoundError`` to whoever is not in the dialog."""
    wanted = Cursor(command.dialog_id, command.user_id, command.delivered_seq, command.read_seq)
    moves = await tx.cursors.advance([wanted], tx.now)
    if not moves:  # only the cursor of somebody who is in moves
        member = await tx.dialogs.find_member(command.dialog_id, command.user_id)
        if member is None or not member.present:
            raise DialogNotFoundError
    for moved in moves:
        if command.read_seq:
            tx.accounts.change(
                command.user_id, "read.changed", dialog_id=moved.dialog_id, payload={"read_seq": moved.read_seq}
            )
        tx.hints.cursor_moved(moved)
    marked = command.marked_unread
    if marked is not None and await tx.cursors.mark_unread(command.dialog_id, command.user_id, marked=marked):
        tx.accounts.change(
            command.user_id, "dialog.settings", dialog_id=command.dialog_id, payload={"marked_unread": marked}
        )
