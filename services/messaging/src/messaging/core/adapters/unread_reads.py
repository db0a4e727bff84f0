"""Unread and mention counts, derived from one read cursor per member. Nothing is written per member per message.

unread = messages after the cursor − own − deleted − deleted for oneself. The first is a subtraction of message numbers;
the others are counted in indexes that hold only them, and only where the subtraction leaves something. Invariant: what
is counted is shown by some list, so that reading makes it go away; who is parted by a block makes no mention.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import asyncpg

from chassis.postgres import Connection
from messaging.core.adapters.contact_reads import BLOCKED

UNREAD: Final = """
    CASE WHEN d.last_message_no <= m.read_message_no THEN 0 ELSE greatest(0, d.last_message_no - m.read_message_no
        - (SELECT count(*) FROM message o WHERE o.dialog_id = m.dialog_id AND o.sender_id = m.user_id
           AND o.seq > m.read_seq)
        - (SELECT count(*) FROM message x WHERE x.dialog_id = m.dialog_id AND x.seq > m.read_seq
           AND x.deleted_at IS NOT NULL AND x.sender_id IS DISTINCT FROM m.user_id)
        - (SELECT count(*) FROM hidden_message h JOIN message y USING (dialog_id, seq)
           WHERE h.user_id = m.user_id AND h.dialog_id = m.dialog_id AND h.seq > m.read_seq
             AND y.deleted_at IS NULL AND y.sender_id IS DISTINCT FROM m.user_id)) END
"""
MENTIONS: Final = f"""
    CASE WHEN d.last_message_no <= m.read_message_no THEN 0 ELSE (
        SELECT count(DISTINCT t.seq) FROM mention t WHERE t.dialog_id = m.dialog_id
            AND t.target IN (m.user_id::text, '@all', '@' || m.role) AND t.seq > m.read_seq
            AND t.sender_id <> m.user_id AND NOT {BLOCKED.format(one="m.user_id", other="t.sender_id")}
            AND NOT EXISTS (SELECT FROM hidden_message h WHERE h.user_id = m.user_id AND h.dialog_id = m.dialog_id
                            AND h.seq = t.seq)) END
"""
_ONE: Final = f"""
    SELECT m.read_seq, greatest(m.delivered_seq, m.read_seq) AS delivered_seq, m.marked_unread,
           {UNREAD} AS unread, {MENTIONS} AS mentions
    FROM member m JOIN dialog d USING (dialog_id) WHERE m.dialog_id = $1 AND m.user_id = $2
"""
_TOTAL: Final = f"""
    WITH counted AS MATERIALIZED (
        SELECT {UNREAD} AS unread, {MENTIONS} AS mentions, m.marked_unread
        FROM member m JOIN dialog d USING (dialog_id)
        WHERE m.user_id = $1 AND m.status IN ('active', 'muted') AND m.archived_at IS NULL
          AND (d.last_message_no > m.read_message_no OR m.marked_unread)
    )
    SELECT coalesce(sum(unread), 0)::bigint AS unread, coalesce(sum(mentions), 0)::bigint AS mentions,
           count(*) FILTER (WHERE unread > 0 OR marked_unread) AS dialogs
    FROM counted
"""


async def unread_of(conn: Connection, dialog_id: UUID, user_id: UUID) -> asyncpg.Record | None:
    """Cursor and counts of one member."""
    return await conn.fetchrow(_ONE, dialog_id, user_id)


async def unread_total(conn: Connection, user_id: UUID) -> asyncpg.Record:
    """Counts over all dialogs that are not archived; a dialog counts with something unread, or marked so by hand."""
    row: asyncpg.Record | None = await conn.fetchrow(_TOTAL, user_id)
    assert row is not None  # noqa: S101 -- an aggregate has one row
    return row
