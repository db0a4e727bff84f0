"""What a forward says: the content of a message the person can see, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

import asyncpg

from kernel.errors import DomainError, Kind
from messaging.adapters.message_reads import content_of, messages_at
from messaging.adapters.person_keys import PersonKeys
from messaging.adapters.stream_reads import watched_by
from messaging.domain.message import SYSTEM_TYPES, MessageNotFoundError

_STAYS: Final = SYSTEM_TYPES | {"poll"}


class NotForwardableError(DomainError):
    code: ClassVar[str] = "messaging.message.not_forwardable"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "A message of this type cannot be forwarded"


@dataclass(frozen=True, slots=True)
class Forwarded:
    content: Mapping[str, Any]
    origin: Mapping[str, Any]


async def forwarded(
    conn: asyncpg.Connection[Any], keys: PersonKeys, *, user_id: UUID, dialog_id: UUID, seq: int
) -> Forwarded:
    """Raises ``MessageNotFoundError`` for what the person cannot see. A forward of a forward names the first origin."""
    watches = await watched_by(conn, user_id, [dialog_id])
    row = (await messages_at(conn, [(dialog_id, seq)])).get((dialog_id, seq)) if watches else None
    if row is None or row["deleted_at"] is not None or seq < watches[0].from_seq:
        raise MessageNotFoundError(pointer="/forward_from")
    if row["type"] in _STAYS:
        raise NotForwardableError(pointer="/forward_from")
    await keys.load(conn, [row["sender_id"]])
    content = content_of(keys, row)
    if content is None:
        raise MessageNotFoundError(pointer="/forward_from")
    origin = row["forward"] or {
        "dialog_id": dialog_id,
        "seq": seq,
        "sender_id": row["sender_id"],
        "sent_at": row["created_at"],
    }
    return Forwarded(content, origin)
