"""What only one person's devices hear of: settings, drafts, where they have read, dialogs that came and went.

Invariant: per person ``account_seq`` is 1, 2, 3 … without a hole; the statement that locks the account's row allots it
and writes the change, after all dialogs of the transaction are locked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from kernel.rows import columns_of, rows_affected
from messaging.core.adapters import document_reads
from messaging.core.domain.stream import AccountEvent

# $3 and $4 are the changes' own: whose it is, and its place among those of that person.
_WRITE: Final = """
    WITH allotted AS (
        INSERT INTO account (user_id, last_account_seq)
        SELECT user_id, changes FROM unnest($1::uuid[], $2::bigint[]) AS t (user_id, changes) ORDER BY user_id
        ON CONFLICT (user_id) DO UPDATE SET last_account_seq = account.last_account_seq + excluded.last_account_seq
        RETURNING user_id, last_account_seq
    ), before AS (
        SELECT user_id, last_account_seq - changes AS seq
        FROM allotted JOIN unnest($1::uuid[], $2::bigint[]) AS t (user_id, changes) USING (user_id)
    ), written AS (
        INSERT INTO account_change (user_id, account_seq, created_at, type, dialog_id, payload)
        SELECT user_id, seq + place, $8, type, dialog_id, payload::jsonb
        FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::uuid[], $7::text[])
             AS t (user_id, place, type, dialog_id, payload) JOIN before USING (user_id)
    )
    SELECT user_id, seq FROM before
"""
_OLD: Final = """
    SELECT user_id, max(account_seq) AS upto FROM (
        SELECT user_id, account_seq FROM account_change WHERE created_at < $1 LIMIT $2
    ) AS old GROUP BY user_id
"""
_LOCK: Final = "SELECT FROM account WHERE user_id = ANY($1) ORDER BY user_id FOR NO KEY UPDATE"
_TRIM: Final = """
    WITH due AS (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS t (user_id, upto)), moved AS (
        UPDATE account SET oldest_account_seq = greatest(oldest_account_seq, due.upto + 1)
        FROM due WHERE account.user_id = due.user_id
    )
    DELETE FROM account_change c USING due WHERE c.user_id = due.user_id AND c.account_seq <= due.upto
"""


@dataclass(frozen=True, slots=True)
class _Buffered:
    user_id: UUID
    type: str
    dialog_id: UUID | None
    payload: Mapping[str, Any]


class AccountStream:
    """Bound to one transaction. ``flush`` right before the commit; then ``events`` are what to tell."""

    def __init__(self, conn: Connection[Any], now: datetime) -> None:
        self._conn = conn
        self._now = now
        self._buffered: list[_Buffered] = []
        self.events: list[AccountEvent] = []

    def change(
        self, user_id: UUID, kind: str, *, dialog_id: UUID | None = None, payload: Mapping[str, Any] | None = None
    ) -> None:
        """Append one change to a person's account."""
        self._buffered.append(_Buffered(user_id, kind, dialog_id, payload or {}))

    async def flush(self) -> None:
        if not self._buffered:
            return
        counts: Counter[UUID] = Counter()
        places: list[int] = []
        for each in self._buffered:
            counts[each.user_id] += 1
            places.append(counts[each.user_id])
        rows = await self._conn.fetch(
            _WRITE,
            list(counts),
            list(counts.values()),
            [each.user_id for each in self._buffered],
            places,
            *columns_of(self._buffered, "type", "dialog_id"),
            [document_reads.to_json(each.payload).decode() for each in self._buffered],
            self._now,
        )
        before = {row["user_id"]: row["seq"] for row in rows}
        for each, place in zip(self._buffered, places, strict=True):
            seq = before[each.user_id] + place
            body = {**({"dialog_id": each.dialog_id} if each.dialog_id else {}), **each.payload}
            frame = document_reads.account_frame(each.type, seq, self._now, body)
            self.events.append(AccountEvent(each.user_id, seq, each.type, frame))
        self._buffered.clear()


async def trim_account_changes(conn: Connection[Any], before: datetime, limit: int) -> int:
    """End about ``limit`` changes older than that; a device that has not heard them is told that it is too far behind.

    Returns how many rows went, 0 when there are none left. What stays is still without a hole (MSG-11).
    """
    due = await conn.fetch(_OLD, before, limit)
    people, upto = [row["user_id"] for row in due], [row["upto"] for row in due]
    await conn.execute(_LOCK, people)
    return rows_affected(await conn.execute(_TRIM, people, upto))
