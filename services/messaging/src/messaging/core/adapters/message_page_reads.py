"""One page of a dialog's messages, around the position a client names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from chassis.postgres import Connection
from messaging.core.adapters.dialog_store import DialogStore
from messaging.core.adapters.message_reads import MessageRows
from messaging.core.adapters.stream_reads import StreamRows
from messaging.core.domain.dialog import Dialog, DialogNotFoundError, Membership
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.stream import Watch
from messaging.core.usecases.ports import Row


class PageWanted(Protocol):
    """At most one of the seqs; with none, the latest ``limit`` messages."""

    after_seq: int | None
    around_seq: int | None
    before_seq: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Oldest first, and whether there are more on either side."""

    rows: Sequence[Row]
    has_before: bool
    has_after: bool


async def watch_of(conn: Connection[Any], user_id: UUID, dialog_id: UUID) -> Watch:
    """What of the dialog the person may read. Raises ``DialogNotFoundError``."""
    found = await StreamRows(conn).watched_by(user_id, [dialog_id])
    if not found:
        raise DialogNotFoundError
    return found[0]


async def seen_message(conn: Connection[Any], user_id: UUID, dialog_id: UUID, seq: int) -> tuple[Watch, Row]:
    """A message that the person may read, deleted ones too, but not what they deleted for themselves.

    Raises ``DialogNotFoundError``, ``MessageNotFoundError``.

    The first step of every route below a message: what is not there has nothing below it.
    """
    watch = await watch_of(conn, user_id, dialog_id)
    row = await MessageRows(conn).message_for(user_id, dialog_id, seq, from_seq=watch.from_seq)
    if row is None:
        raise MessageNotFoundError
    return watch, row


async def seen_by_member(conn: Connection[Any], dialog_id: UUID, user_id: UUID) -> tuple[Dialog, Membership]:
    """The dialog, and the person's place in it. Raises ``DialogNotFoundError``, for who only watches it too."""
    dialog = await DialogStore(conn).find(dialog_id)
    member = await DialogStore(conn).find_member(dialog_id, user_id)
    if dialog is None or member is None or not member.present:
        raise DialogNotFoundError
    return dialog, member


async def read_page(
    conn: Connection[Any], dialog_id: UUID, wanted: PageWanted, watch: Watch, viewer_id: UUID
) -> MessagePage:
    """The page that is wanted; one row more than the limit tells whether there is more."""
    reads = MessageRows(conn)
    if wanted.after_seq is not None:
        middle, room_before = wanted.after_seq + 1, 0
    elif wanted.around_seq is not None:
        middle, room_before = wanted.around_seq, wanted.limit // 2
    else:
        middle, room_before = wanted.before_seq or watch.last_seq + 1, wanted.limit
    room_after = wanted.limit - room_before
    before = await reads.messages_before(
        dialog_id, before_seq=middle, from_seq=watch.from_seq, viewer_id=viewer_id, limit=room_before + 1
    )
    after: list[Row] = []
    if wanted.after_seq is not None or wanted.around_seq is not None or wanted.before_seq is not None:
        after = await reads.messages_after(
            dialog_id, after_seq=middle - 1, from_seq=watch.from_seq, viewer_id=viewer_id, limit=room_after + 1
        )
    return MessagePage(
        rows=[*reversed(before[:room_before]), *after[:room_after]],
        has_before=len(before) > room_before,
        has_after=len(after) > room_after,
    )
