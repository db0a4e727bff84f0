"""Delete a message: for everybody (its place stays, what it said goes), or only for oneself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from messaging.core.domain.cursor import Cursor
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.permissions import Act
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.touching import enter_dialog

# What hangs on a message and goes with it.
_HANGING: Final = (
    "message_revision",
    "mention",
    "reaction",
    "pinned_message",
    "poll_vote",
    "poll",
    "card",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMessage:
    dialog_id: UUID
    seq: int
    user_id: UUID


async def delete_for_all(command: DeleteMessage, tx: Tx) -> None:
    """One's own always: past blocks, a mute, a lost role, in a closed dialog, also what one deleted for oneself
    before. Another's with the permission to, and only what is there for the person.

    Deleting it again changes nothing.
    """
    dialog, member = await enter_dialog(tx, command.dialog_id, command.user_id)
    row = (await tx.messages.messages_at([(command.dialog_id, command.seq)])).get((command.dialog_id, command.seq))
    if row is not None and command.seq < dialog.first_seq_of(member):
        row = None
    if row is not None and row["deleted_at"] is not None and row["deleted_by"] == command.user_id:
        return
    if row is None or row["sender_id"] != command.user_id:
        dialog.require(member, Act.DELETE_OTHERS, tx.now)
        if await tx.messages.is_hidden(command.user_id, command.dialog_id, command.seq):
            raise MessageNotFoundError
    if row is None or row["deleted_at"] is not None:
        raise MessageNotFoundError
    await tx.holds.keep_if_held(command.dialog_id, command.seq, tx.now)
    await _empty(command, row["created_at"], tx)
    tx.stream.change(
        dialog,
        "message.deleted",
        actor_id=command.user_id,
        message_seq=command.seq,
        payload={"sender_id": row["sender_id"]},
    )


async def delete_for_me(command: DeleteMessage, tx: Tx) -> None:
    """Nobody else hears of it."""
    dialog, member = await enter_dialog(tx, command.dialog_id, command.user_id)
    there = await tx.messages.messages_at([(command.dialog_id, command.seq)])
    if not there or command.seq < dialog.first_seq_of(member):
        raise MessageNotFoundError
    hidden = await tx.conn.execute(
        "INSERT INTO hidden_message (user_id, dialog_id, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        *(command.user_id, command.dialog_id, command.seq),
    )
    if not hidden.endswith(" 0"):
        tx.accounts.change(
            command.user_id, "message.hidden", dialog_id=command.dialog_id, payload={"message_seq": command.seq}
        )
        tx.hints.cursor_moved(Cursor(command.dialog_id, command.user_id, told=False))


async def _empty(command: DeleteMessage, created_at: datetime, tx: Tx) -> None:
    await tx.conn.execute(
        "UPDATE message SET content = NULL, mentions = '{}', deleted_at = $4, deleted_by = $5 "
        "WHERE dialog_id = $1 AND seq = $2 AND created_at = $3",
        *(command.dialog_id, command.seq, created_at, tx.now, command.user_id),
    )
    await tx.attachments.untie(command.dialog_id, command.seq)
    for table in _HANGING:
        await tx.conn.execute(f"DELETE FROM {table} WHERE dialog_id = $1 AND seq = $2", command.dialog_id, command.seq)
