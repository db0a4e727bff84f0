"""Delete a message for everybody: its place stays, what it said goes."""

from __future__ import annotations

from messaging.core.domain.commands import MessageCommand
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.permissions import Act
from messaging.core.usecases.load_dialog_of_member import load_dialog_of_member
from messaging.core.usecases.ports import Tx


async def delete_message_for_all(command: MessageCommand, tx: Tx) -> None:
    """One's own always: past blocks, a mute, a lost role, in a closed dialog, also what one deleted for oneself
    before. Another's with the permission to, and only what is there for the person.

    Deleting it again changes nothing.
    """
    place = command.dialog_id, command.seq
    dialog, member = await load_dialog_of_member(tx, command.dialog_id, command.user_id)
    row = (await tx.messages.messages_at([place])).get(place)
    if row is not None and command.seq < dialog.first_seq_of(member):
        row = None
    if row is not None and row["deleted_at"] is not None and row["deleted_by"] == command.user_id:
        return
    if row is None or row["sender_id"] != command.user_id:
        dialog.require(member, Act.DELETE_OTHERS, tx.now)
        if await tx.messages.is_hidden(command.user_id, *place):
            raise MessageNotFoundError
    if row is None or row["deleted_at"] is not None:
        raise MessageNotFoundError
    await tx.holds.keep_if_held(*place, tx.now)
    await tx.messages.empty(row, by=command.user_id, now=tx.now)
    await tx.attachments.untie(*place)
    tx.stream.change(
        dialog,
        "message.deleted",
        actor_id=command.user_id,
        message_seq=command.seq,
        payload={"sender_id": row["sender_id"]},
    )
