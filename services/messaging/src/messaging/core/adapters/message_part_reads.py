"""What hangs on messages, read for a page of them at once: reactions, replies, pins, polls, cards.

A query is made only for what a message of the page can have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from messaging.core.adapters.attachment_store import AttachmentStore
from messaging.core.adapters.entity_store import EntityStore
from messaging.core.adapters.poll_store import PollStore
from messaging.core.domain.cards import NAMED_BY
from messaging.core.usecases.ports import Row

Key = tuple[UUID, int]
_WITH_FILES: Final = frozenset({"image", "video", "voice", "file", "sticker", "gif"})
_THESE: Final = "unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, seq)"
_REACTIONS: Final = f"""
    SELECT dialog_id, seq, emoji, count(*) AS count, min(created_at) AS first_at,
           coalesce(bool_or(r.user_id = $3), false) AS mine
    FROM {_THESE} JOIN reaction r USING (dialog_id, seq)
    GROUP BY dialog_id, seq, emoji ORDER BY dialog_id, seq, first_at, emoji
"""
_REPLIES: Final = f"""
    SELECT t.dialog_id, t.seq, count(*) AS count
    FROM {_THESE} JOIN message m ON m.dialog_id = t.dialog_id AND m.thread_seq = t.seq AND m.deleted_at IS NULL
    WHERE NOT EXISTS (SELECT FROM hidden_message h
                      WHERE h.user_id = $3 AND h.dialog_id = m.dialog_id AND h.seq = m.seq)
    GROUP BY t.dialog_id, t.seq
"""
_PINS: Final = f"SELECT dialog_id, seq FROM {_THESE} JOIN pinned_message USING (dialog_id, seq)"


async def extras_of(conn: Connection[Any], rows: Sequence[Row], viewer_id: UUID | None) -> dict[Key, dict[str, Any]]:
    """By message, the fields that differ from those of a message with nothing on it."""
    found: defaultdict[Key, dict[str, Any]] = defaultdict(dict)
    types = {(row["dialog_id"], row["seq"]): row["type"] for row in rows if row["deleted_at"] is None}
    if not types:
        return found
    await _add_marks(conn, list(types), viewer_id, found)
    polls = [key for key, kind in types.items() if kind == "poll"]
    if polls:
        for key, poll in (await PollStore(conn).shown(polls, viewer_id)).items():
            found[key]["poll"] = poll
    files = [key for key, kind in types.items() if kind in _WITH_FILES]
    if files:
        for key, attachments in (await AttachmentStore(conn).shown(files)).items():
            found[key]["attachments"] = attachments
    cards = [key for key, kind in types.items() if kind in NAMED_BY]
    if cards:
        for key, card in (await EntityStore(conn).shown(cards)).items():
            found[key]["card"] = card
    return found


async def _add_marks(
    conn: Connection[Any], keys: Sequence[Key], viewer_id: UUID | None, found: defaultdict[Key, dict[str, Any]]
) -> None:
    """What any message can have: reactions, replies, a pin."""
    these = [each[0] for each in keys], [each[1] for each in keys]
    for row in await conn.fetch(_REACTIONS, *these, viewer_id):
        shown = {"emoji": row["emoji"], "count": row["count"]}
        if viewer_id is not None:
            shown["mine"] = row["mine"]
        found[row["dialog_id"], row["seq"]].setdefault("reactions", []).append(shown)
    for row in await conn.fetch(_REPLIES, *these, viewer_id):
        found[row["dialog_id"], row["seq"]]["reply_count"] = row["count"]
    for row in await conn.fetch(_PINS, *these):
        found[row["dialog_id"], row["seq"]]["pinned"] = True
