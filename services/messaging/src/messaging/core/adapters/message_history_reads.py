"""Reading what surrounds a message: its earlier versions, its thread, the pins of its dialog."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from messaging.core.adapters.message_reads import MESSAGE_COLUMNS, MessageRows, content_of
from messaging.core.usecases.ports import Row
from sealing import PersonKeys

_THREAD: Final = f"""
    SELECT {MESSAGE_COLUMNS} FROM message m
    WHERE dialog_id = $1 AND thread_seq = $2 AND seq > $3 AND NOT EXISTS (
        SELECT FROM hidden_message h WHERE h.user_id = $4 AND h.dialog_id = m.dialog_id AND h.seq = m.seq)
    ORDER BY seq LIMIT $5
"""
_PINS: Final = """
    SELECT p.seq, p.pinned_by, p.pinned_at FROM pinned_message p
    WHERE p.dialog_id = $1 AND p.seq >= $2 AND NOT EXISTS (
        SELECT FROM hidden_message h WHERE h.user_id = $3 AND h.dialog_id = p.dialog_id AND h.seq = p.seq)
    ORDER BY p.pinned_at DESC, p.seq DESC
"""


async def thread_page(
    conn: Connection[Any], dialog_id: UUID, thread_seq: int, *, after_seq: int, viewer_id: UUID, limit: int
) -> list[Row]:
    """Replies below a message, oldest first."""
    return list(await conn.fetch(_THREAD, dialog_id, thread_seq, after_seq, viewer_id, limit))


async def pins_of(conn: Connection[Any], dialog_id: UUID, *, from_seq: int, viewer_id: UUID) -> list[tuple[Row, Row]]:
    """(pin, message), the newest pin first."""
    pins = await conn.fetch(_PINS, dialog_id, from_seq, viewer_id)
    messages = await MessageRows(conn).messages_at([(dialog_id, pin["seq"]) for pin in pins])
    return [(pin, messages[dialog_id, pin["seq"]]) for pin in pins if (dialog_id, pin["seq"]) in messages]


async def revisions_of(conn: Connection[Any], keys: PersonKeys, dialog_id: UUID, seq: int) -> list[dict[str, Any]]:
    """What a message said before, oldest first."""
    rows = await conn.fetch(
        "SELECT dialog_id, seq, version, sender_id, content, written_at FROM message_revision "
        "WHERE dialog_id = $1 AND seq = $2 ORDER BY version",
        *(dialog_id, seq),
    )
    await keys.load(conn, {row["sender_id"] for row in rows})
    return [
        {"version": row["version"], "content": content_of(keys, row), "written_at": row["written_at"]} for row in rows
    ]
