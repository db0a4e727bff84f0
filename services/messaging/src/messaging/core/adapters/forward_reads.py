"""What a forward says: the content of a message the person can see, and where it came from.

A retry of one that is stored is answered before anything is asked of the message, which may be edited or gone by now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from chassis.postgres import Connection, Database
from messaging.core.adapters.message_reads import MessageRows, content_of
from messaging.core.adapters.send_reads import SendReads
from messaging.core.adapters.stream_reads import StreamRows
from messaging.core.adapters.unreadable_reads import object_or_none
from messaging.core.domain.message import (
    UNFORWARDABLE_TYPES,
    MessageNotFoundError,
    NotForwardableError,
    SendMessage,
    Sent,
    request_hash,
)
from sealing import PersonKeys


@dataclass(frozen=True, slots=True)
class ForwardReads:
    """Reads of their own: a forward is read before its batch begins."""

    database: Database
    keys: PersonKeys

    async def read(self, command: SendMessage) -> SendMessage | Sent:
        """The command with what it forwards; or, of a retry of one that is stored, its answer.

        Raises ``MessageNotFoundError`` for what the sender cannot see, and ``NotForwardableError``.
        """
        if command.forward_from is None:
            return command
        async with self.database.read() as conn:
            return await _stored_before(conn, command) or await self._with_content(conn, command, *command.forward_from)

    async def _with_content(self, conn: Connection, command: SendMessage, dialog_id: UUID, seq: int) -> SendMessage:
        """A forward of a forward names the first origin."""
        user_id = command.sender_id
        watches = await StreamRows(conn).watched_by(user_id, [dialog_id])
        row = (
            await MessageRows(conn).message_for(user_id, dialog_id, seq, from_seq=watches[0].from_seq)
            if watches
            else None
        )
        if row is None or row["deleted_at"] is not None:
            raise MessageNotFoundError(pointer="/forward_from")
        if row["type"] in UNFORWARDABLE_TYPES:
            raise NotForwardableError(pointer="/forward_from")
        await self.keys.load(conn, [row["sender_id"]])
        content = content_of(self.keys, row)
        if content is None:
            raise MessageNotFoundError(pointer="/forward_from")
        origin = object_or_none(row["forward"], field="forward", dialog_id=dialog_id, seq=seq) or {
            "dialog_id": dialog_id,
            "seq": seq,
            "sender_id": row["sender_id"],
            "sent_at": row["created_at"],
        }
        return replace(command, content=content, forward=origin)


async def _stored_before(conn: Connection, command: SendMessage) -> Sent | None:
    """What is stored meanwhile is found under the dialog's lock."""
    earlier = await SendReads(conn).find_earlier(command.dialog_id, command.sender_id, command.client_message_id)
    if earlier is None or earlier.body_hash != request_hash(b"", command):
        return None
    return earlier.again(earlier.body_hash)
