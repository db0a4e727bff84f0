"""Read and delivered cursors: one row a member, moved only forward, many at once in one statement.

``delivered_seq`` is moved only by what devices say they received. What was read was delivered too, but whoever may not
know how far somebody read may not learn it from there: readers of the cursors add it for those who may.

``read_untold_seq`` is how far somebody had read while they did not tell: of what is up to there, nobody is told later
that it was read. That they do not tell comes here a little after they said so: what they read in between was noted as
told, and ``untell_reads`` takes it back by the time of the reading. Both hold the member's row before they look at
what the other wrote, so no reading slips between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import OnConnection
from kernel.rows import columns_of, rows_affected
from messaging.core.domain.cursor import Cursor

_HOLD: Final = """
    SELECT FROM member m JOIN unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
        AS t (dialog_id, user_id, delivered, read) USING (dialog_id, user_id)
    WHERE t.read > m.read_seq OR t.delivered > m.delivered_seq
    ORDER BY m.dialog_id, m.user_id FOR NO KEY UPDATE OF m
"""
_HOLD_OF: Final = """
    SELECT FROM member WHERE user_id = $1 AND status IN ('active', 'muted') ORDER BY dialog_id FOR NO KEY UPDATE
"""
_UNTELL: Final = """
    UPDATE member SET read_untold_seq = read_seq
    WHERE user_id = $1 AND (status IN ('active', 'muted') OR status NOT IN ('active', 'muted'))
      AND read_at >= $2 AND read_untold_seq < read_seq
"""
_ADVANCE: Final = """
    UPDATE member m SET
        delivered_seq = greatest(m.delivered_seq, t.delivered),
        read_seq = greatest(m.read_seq, t.read),
        read_untold_seq = CASE WHEN t.read > m.read_seq AND NOT t.tells_reads THEN t.read ELSE m.read_untold_seq END,
        read_message_no = CASE WHEN t.read > m.read_seq THEN greatest(m.read_message_no, coalesce((
            SELECT message_no FROM message x WHERE x.dialog_id = m.dialog_id AND x.seq <= t.read
            ORDER BY x.seq DESC LIMIT 1), 0)) ELSE m.read_message_no END,
        read_at = CASE WHEN t.read > m.read_seq THEN $5 ELSE m.read_at END,
        marked_unread = CASE WHEN t.read >= m.read_seq AND t.read > 0 THEN false ELSE m.marked_unread END
    FROM (
        SELECT t.dialog_id, t.user_id, least(t.delivered, d.last_seq) AS delivered, least(t.read, d.last_seq) AS read,
               coalesce(a.read_receipts, true) AS tells_reads, o.delivered_seq AS delivered_before,
               CASE WHEN o.read_seq > o.read_untold_seq THEN o.read_seq ELSE 0 END AS told_before,
               o.read_seq AS read_before
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS t (dialog_id, user_id, delivered, read)
        JOIN dialog d USING (dialog_id) JOIN member o USING (dialog_id, user_id) LEFT JOIN account a USING (user_id)
    ) AS t
    WHERE m.dialog_id = t.dialog_id AND m.user_id = t.user_id AND m.status IN ('active', 'muted')
      AND (t.read > m.read_seq OR t.delivered > m.delivered_seq OR (m.marked_unread AND t.read > 0))
    RETURNING m.dialog_id, m.user_id, m.delivered_seq, m.read_seq, m.read_untold_seq,
              CASE WHEN t.tells_reads THEN m.read_seq > t.read_before
                   OR m.delivered_seq > greatest(t.delivered_before, t.told_before)
                   ELSE m.delivered_seq > t.delivered_before END AS told,
              m.delivered_seq > t.delivered_before AS arrived
"""
_MARK: Final = """
    UPDATE member SET marked_unread = $3 WHERE dialog_id = $1 AND user_id = $2 AND marked_unread <> $3
"""


class CursorStore(OnConnection):
    async def advance(self, cursors: Sequence[Cursor], now: datetime) -> list[Cursor]:
        """Those that moved, as they stand now. A seq from the future is taken for the last one there is."""
        ordered = sorted(cursors, key=lambda each: (each.dialog_id, each.user_id))
        wanted = columns_of(ordered, "dialog_id", "user_id", "delivered_seq", "read_seq")
        if any(wanted[3]):
            await self.hold_cursors(*wanted)
        return [Cursor(**dict(row)) for row in await self._conn.fetch(_ADVANCE, *wanted, now)]

    async def hold_cursors(self, *wanted: Sequence[Any]) -> None:
        """Those that will move stay as they are until the commit; the next statement sees whether their people tell."""
        await self._conn.execute(_HOLD, *wanted)

    async def hold_cursors_of(self, user_id: UUID) -> None:
        """No cursor of theirs moves until the commit, and those that are being moved have."""
        await self._conn.execute(_HOLD_OF, user_id)

    async def untell_reads(self, user_id: UUID, since: datetime) -> None:
        """Of what they read since then, and before it in the same dialogs, nobody is told from now on."""
        await self._conn.execute(_UNTELL, user_id, since)

    async def mark_unread(self, dialog_id: UUID, user_id: UUID, *, marked: bool) -> bool:
        """A member's own mark on a dialog. Whether it changed."""
        return rows_affected(await self._conn.execute(_MARK, dialog_id, user_id, marked)) > 0
