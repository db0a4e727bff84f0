"""Delete a message out of one's own sight."""

from __future__ import annotations

from messaging.core.domain.commands import MessageCommand
from messaging.core.domain.cursor import Cursor
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.usecases.load_dialog_of_member import load_dialog_of_member
from messaging.core.usecases.ports import Tx


async def delete_message_for_self(command: MessageCommand, tx: Tx) -> None:
    """Nobody else hears of it. Raises ``MessageNotFoundError`` for what is not there for the person."""
    dialog, member = await load_dialog_of_member(tx, command.dialog_id, command.user_id)
    there = await tx.messages.messages_at([(command.dialog_id, command.seq)])
    if not there or command.seq < dialog.first_seq_of(member):
        raise MessageNotFoundError
    if await tx.messages.hide(command.user_id, command.dialog_id, command.seq):
        tx.accounts.change(
            command.user_id, "message.hidden", dialog_id=command.dialog_id, payload={"message_seq": command.seq}
        )
        tx.hints.cursor_moved(Cursor(command.dialog_id, command.user_id, told=False))
