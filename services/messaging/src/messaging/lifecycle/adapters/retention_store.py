"""What is older than it may be: found by its time, hidden at once, deleted a batch at a time.

RET-1: nothing below ``dialog.oldest_seq`` is read by anybody; what is deleted is below it. A dialog under legal hold
loses no row. Times grow with seqs within a dialog, so the first row to keep is found by halving.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection
from kernel.rows import object_of, rows_affected
from messaging.core.adapters.account_stream_store import trim_account_changes
from messaging.lifecycle.domain.retention import Purgeable

_DAYS: Final = "least(d.retention_days, $1::integer)"
_DUE: Final = f"""
    SELECT d.dialog_id FROM dialog d CROSS JOIN LATERAL (
        SELECT created_at FROM message WHERE dialog_id = d.dialog_id AND seq >= d.oldest_seq ORDER BY seq LIMIT 1
    ) AS first
    WHERE d.dialog_id > $3 AND first.created_at < $2::timestamptz - make_interval(days => {_DAYS})
    ORDER BY d.dialog_id LIMIT $4
"""
_CUTOFF: Final = f"""
    SELECT $2::timestamptz - make_interval(days => {_DAYS}) FROM dialog d WHERE d.dialog_id = $3
"""
_TIME_AT: Final = """
    SELECT min(created_at) FROM (
        (SELECT created_at FROM message WHERE dialog_id = $1 AND seq >= $2 ORDER BY seq LIMIT 1)
        UNION ALL
        (SELECT created_at FROM change WHERE dialog_id = $1 AND seq >= $2 ORDER BY seq LIMIT 1)
    ) AS next
"""
_MOVE_CURSORS: Final = """
    UPDATE member SET read_seq = $2, delivered_seq = greatest(delivered_seq, $2),
                      read_message_no = greatest(read_message_no, $3)
    WHERE (dialog_id, user_id) IN (
        SELECT dialog_id, user_id FROM member WHERE dialog_id = $1 AND read_seq < $2 ORDER BY user_id LIMIT $4
        FOR NO KEY UPDATE
    )
"""
_LAST_NUMBER: Final = "SELECT message_no FROM message WHERE dialog_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT 1"
_PURGEABLE: Final = """
    SELECT d.dialog_id, d.oldest_seq, d.retention_days IS NOT NULL AND ($3::integer IS NULL OR d.retention_days < $3)
           AS by_row
    FROM dialog d WHERE d.oldest_seq > 1 AND NOT d.legal_hold AND d.dialog_id > $1 ORDER BY d.dialog_id LIMIT $2
"""
_DELETE_BELOW: Final = """
    DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE dialog_id = $1 AND seq < $2 LIMIT $3))
        AND dialog_id = $1 AND seq < $2
"""
# Rows that hang on messages, with the column that names the message.
_HANGING: Final = (
    "message_revision",
    "mention",
    "reaction",
    "pinned_message",
    "poll_vote",
    "poll",
    "card",
    "hidden_message",
    "activity",
    "activity_for_all",
    "held_message",
    "held_file",
    "attachment_use",
)
_STREAM: Final = ("message", "change", "search_entry")
# Where a dropped month put rows that a legal hold kept: no month will take them along.
_LEFT_BEHIND: Final = ("message_default", "change_default", "search_entry_default")


class RetentionStore(OnConnection):
    async def due_dialogs(self, days_max: int | None, now: datetime, after: UUID, limit: int) -> list[UUID]:
        """Dialogs with something older than they keep, in order of id."""
        return [row["dialog_id"] for row in await self._conn.fetch(_DUE, days_max, now, after, limit)]

    async def cutoff_of(self, dialog_id: UUID, days_max: int | None, now: datetime) -> datetime | None:
        """What is older, the dialog does not keep; None when it keeps everything. The dialog is locked."""
        found: datetime | None = await self._conn.fetchval(_CUTOFF, days_max, now, dialog_id)
        return found

    async def first_seq_since(self, dialog_id: UUID, cutoff: datetime) -> int:
        """The first seq whose row is not older than ``cutoff``; one after the last when all are."""
        row = await self._conn.fetchrow("SELECT oldest_seq, last_seq FROM dialog WHERE dialog_id = $1", dialog_id)
        if row is None:
            return 1
        low, high = row["oldest_seq"], row["last_seq"] + 1
        while low < high:
            middle = (low + high) // 2
            at = await self._conn.fetchval(_TIME_AT, dialog_id, middle)
            if at is not None and at < cutoff:
                low = middle + 1
            else:
                high = middle
        return int(low)

    async def set_oldest_seq(self, dialog_id: UUID, oldest_seq: int) -> None:
        """Readers see nothing older from the commit on. The dialog is locked."""
        await self._conn.execute(
            "UPDATE dialog SET oldest_seq = $2, version = version + 1 WHERE dialog_id = $1", dialog_id, oldest_seq
        )

    async def trim_account_changes(self, before: datetime, limit: int) -> int:
        """How many changes of accounts were deleted, at most ``limit``."""
        return await trim_account_changes(self._conn, before, limit)

    async def move_cursors(self, dialog_id: UUID, oldest_seq: int, limit: int) -> int:
        """Nobody has unread what nobody can read. Returns how many members were moved, at most ``limit``."""
        number = await self._conn.fetchval(_LAST_NUMBER, dialog_id, oldest_seq) or 0
        return rows_affected(await self._conn.execute(_MOVE_CURSORS, dialog_id, oldest_seq - 1, number, limit))

    async def purgeable_dialogs(self, days_max: int | None, after: UUID, limit: int) -> list[Purgeable]:
        """Dialogs that may have rows below their oldest seq, in order of id; none under legal hold."""
        rows = await self._conn.fetch(_PURGEABLE, after, limit, days_max)
        return [object_of(Purgeable, row) for row in rows]

    async def purge(self, dialog: Purgeable, limit: int) -> int:
        """Delete up to ``limit`` rows of each kind below the oldest seq; 0 when there are none left.

        What hangs on messages goes first, so that a purge that was killed finds it again.
        """
        held = await self._conn.fetchval(
            "SELECT legal_hold FROM dialog WHERE dialog_id = $1 FOR SHARE", dialog.dialog_id
        )
        if held is not False:
            return 0
        for table in (*_HANGING, *(_STREAM if dialog.by_row else _LEFT_BEHIND)):
            statement = _DELETE_BELOW.format(table=table)
            deleted = rows_affected(await self._conn.execute(statement, dialog.dialog_id, dialog.oldest_seq, limit))
            if deleted:
                return deleted
        return 0
