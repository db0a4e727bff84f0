"""One page of a dialog's messages, around the position a client names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from messaging.core.adapters.dialog_store import DialogStore
from messaging.core.adapters.message_reads import MessageRows
from messaging.core.adapters.stream_reads import StreamRows
from messaging.core.adapters.stream_store import DIALOG_COLUMNS, dialog_of
from messaging.core.domain.dialog import Dialog, DialogNotFoundError, Membership
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.stream import Watch
from messaging.core.entrypoints.schemas.messages import MessagesQuery

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Oldest first, and whether there are more on either side."""

    rows: Sequence[Row]
    has_before: bool
    has_after: bool


async def watch_of(conn: asyncpg.Connection[Any], user_id: UUID, dialog_id: UUID) -> Watch:
    """What of the dialog the person may read. Raises ``DialogNotFoundError``."""
    found = await StreamRows(conn).watched_by(user_id, [dialog_id])
    if not found:
        raise DialogNotFoundError
    return found[0]


async def seen_message(conn: asyncpg.Connection[Any], user_id: UUID, dialog_id: UUID, seq: int) -> tuple[Watch, Row]:
    """A message that the person may read, deleted ones too, but not what they deleted for themselves.

    Raises ``DialogNotFoundError``, ``MessageNotFoundError``.

    The first step of every route below a message: what is not there has nothing below it.
    """
    watch = await watch_of(conn, user_id, dialog_id)
    row = await MessageRows(conn).message_for(user_id, dialog_id, seq, from_seq=watch.from_seq)
    if row is None:
        raise MessageNotFoundError
    return watch, row


async def seen_by_member(conn: asyncpg.Connection[Any], dialog_id: UUID, user_id: UUID) -> tuple[Dialog, Membership]:
    """The dialog, and the person's place in it. Raises ``DialogNotFoundError``, for who only watches it too."""
    row = await conn.fetchrow(f"SELECT {DIALOG_COLUMNS} FROM dialog WHERE dialog_id = $1", dialog_id)
    member = await DialogStore(conn).find_member(dialog_id, user_id)
    if row is None or member is None or not member.present:
        raise DialogNotFoundError
    return dialog_of(row), member


async def read_page(
    conn: asyncpg.Connection[Any], dialog_id: UUID, query: MessagesQuery, watch: Watch, viewer_id: UUID
) -> MessagePage:
    """The page the query asks for; one row more than the limit tells whether there is more."""
    before: list[Row] = []
    after: list[Row] = []
    room_before, room_after = query.limit, query.limit
    if query.after_seq is not None:
        room_before = 0
        before = await _before(
            conn, dialog_id, before_seq=query.after_seq + 1, watch=watch, viewer_id=viewer_id, room=room_before
        )
        after = await _after(
            conn, dialog_id, after_seq=query.after_seq, watch=watch, viewer_id=viewer_id, room=room_after
        )
    elif query.around_seq is not None:
        room_before = query.limit // 2
        room_after = query.limit - room_before
        before = await _before(
            conn, dialog_id, before_seq=query.around_seq, watch=watch, viewer_id=viewer_id, room=room_before
        )
        after = await _after(
            conn, dialog_id, after_seq=query.around_seq - 1, watch=watch, viewer_id=viewer_id, room=room_after
        )
    else:
        room_after = 0
        if query.before_seq is not None:
            after = await _after(
                conn, dialog_id, after_seq=query.before_seq - 1, watch=watch, viewer_id=viewer_id, room=room_after
            )
        before = await _before(
            conn,
            dialog_id,
            before_seq=query.before_seq or watch.last_seq + 1,
            watch=watch,
            viewer_id=viewer_id,
            room=room_before,
        )
    return MessagePage(
        rows=[*reversed(before[:room_before]), *after[:room_after]],
        has_before=len(before) > room_before,
        has_after=len(after) > room_after,
    )


async def _after(
    conn: asyncpg.Connection[Any], dialog_id: UUID, *, after_seq: int, watch: Watch, viewer_id: UUID, room: int
) -> list[Row]:
    return await MessageRows(conn).messages_after(
        dialog_id, after_seq=after_seq, from_seq=watch.from_seq, viewer_id=viewer_id, limit=room + 1
    )


async def _before(
    conn: asyncpg.Connection[Any], dialog_id: UUID, *, before_seq: int, watch: Watch, viewer_id: UUID, room: int
) -> list[Row]:
    return await MessageRows(conn).messages_before(
        dialog_id, before_seq=before_seq, from_seq=watch.from_seq, viewer_id=viewer_id, limit=room + 1
    )
