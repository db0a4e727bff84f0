"""What a forward says: the content of a message the person can see, and where it came from.

A retry of one that is stored is answered before anything is asked of the message, which may be edited or gone by now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

import asyncpg

from kernel.errors import DomainError, Kind
from messaging.core.adapters.message_reads import MessageRows, content_of
from messaging.core.adapters.send_reads import SendReads
from messaging.core.adapters.stream_reads import StreamRows
from messaging.core.adapters.unreadable import object_or_none
from messaging.core.domain.message import SYSTEM_TYPES, MessageNotFoundError, SendMessage, Sent, request_hash
from sealing import PersonKeys

_STAYS: Final = SYSTEM_TYPES | {"poll"}


class NotForwardableError(DomainError):
    code: ClassVar[str] = "messaging.message.not_forwardable"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "A message of this type cannot be forwarded"


@dataclass(frozen=True, slots=True)
class Forwarded:
    content: Mapping[str, Any]
    origin: Mapping[str, Any]


async def sent_before(conn: asyncpg.Connection[Any], command: SendMessage) -> Sent | None:
    """The answer to the retry of a forward that is stored; what is stored meanwhile is found under the lock."""
    earlier = await SendReads(conn).find_earlier(command.dialog_id, command.sender_id, command.client_message_id)
    if earlier is None or earlier.body_hash != request_hash(b"", command):
        return None
    return earlier.again(earlier.body_hash)


async def forwarded(
    conn: asyncpg.Connection[Any], keys: PersonKeys, *, user_id: UUID, origin: tuple[UUID, int]
) -> Forwarded:
    """Raises ``MessageNotFoundError`` for what the person cannot see. A forward of a forward names the first origin."""
    dialog_id, seq = origin
    watches = await StreamRows(conn).watched_by(user_id, [dialog_id])
    row = (
        await MessageRows(conn).message_for(user_id, dialog_id, seq, from_seq=watches[0].from_seq) if watches else None
    )
    if row is None or row["deleted_at"] is not None:
        raise MessageNotFoundError(pointer="/forward_from")
    if row["type"] in _STAYS:
        raise NotForwardableError(pointer="/forward_from")
    await keys.load(conn, [row["sender_id"]])
    content = content_of(keys, row)
    if content is None:
        raise MessageNotFoundError(pointer="/forward_from")
    first = object_or_none(row["forward"], field="forward", dialog_id=dialog_id, seq=seq) or {
        "dialog_id": dialog_id,
        "seq": seq,
        "sender_id": row["sender_id"],
        "sent_at": row["created_at"],
    }
    return Forwarded(content, first)
