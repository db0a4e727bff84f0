"""How far erasures have come, and the rows they end.

ERA-1: a person whose erasure began has no key that readers can use, and never gets one again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sealing
from chassis.postgres import OnConnection
from kernel.rows import rows_affected
from messaging.core.adapters.hold_store import HoldStore

_REQUEST: Final = """
    INSERT INTO person_erasure (user_id, reason, requested_at, due_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO UPDATE SET due_at = least(person_erasure.due_at, excluded.due_at)
"""
# Where a dialog of theirs is under legal hold, the key is put where no reader looks; otherwise it is gone.
_HOLD_KEY: Final = """
    INSERT INTO held_key (user_id, wrapped_key, held_at)
    SELECT k.user_id, k.wrapped_key, $2 FROM person_key k WHERE k.user_id = $1 AND k.wrapped_key IS NOT NULL
      AND EXISTS (SELECT FROM member m JOIN dialog d USING (dialog_id) WHERE m.user_id = $1 AND d.legal_hold)
    ON CONFLICT DO NOTHING
"""
_TOMBSTONE: Final = """
    INSERT INTO account (user_id, ended_at, erased_at) VALUES ($1, $2, $2)
    ON CONFLICT (user_id) DO UPDATE SET display_name = '', username = '', avatar_url = '', last_seen_at = NULL,
        presence_to = 'nobody', last_seen_to = 'nobody', direct_from = 'nobody',
        ended_at = coalesce(account.ended_at, $2), erased_at = coalesce(account.erased_at, $2)
"""
_FREE_HELD_KEYS: Final = """
    DELETE FROM held_key h WHERE NOT EXISTS (
        SELECT FROM member m JOIN dialog d USING (dialog_id) WHERE m.user_id = h.user_id AND d.legal_hold)
"""
# What is only theirs: the table, and the column that names them.
_OWN_ROWS: Final = (
    ("draft", "user_id"),
    ("scheduled_message", "user_id"),
    ("hidden_message", "user_id"),
    ("activity", "user_id"),
    ("activity_cursor", "user_id"),
    ("account_change", "user_id"),
    ("friendship", "user_id"),
    ("friendship", "friend_id"),
    ("block", "blocker_id"),
    ("block", "blocked_id"),
    ("join_request", "user_id"),
)
_DELETE_OWN: Final = """
    DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {column} = $1 LIMIT $2))
        AND {column} = $1
"""
_DUE: Final = """
    SELECT user_id FROM person_erasure WHERE finished_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $2
"""
_WRITTEN: Final = """
    SELECT dialog_id, seq FROM message WHERE dialog_id = $1 AND sender_id = $2 AND seq > $3 ORDER BY seq LIMIT $4
"""


class ErasureStore(OnConnection):
    async def request_erasure(self, user_id: UUID, reason: str, now: datetime, due_at: datetime) -> None:
        """Asked twice, the earlier time holds."""
        await self._conn.execute(_REQUEST, user_id, reason, now, due_at)

    async def due_erasures(self, now: datetime, limit: int) -> list[UUID]:
        return [row["user_id"] for row in await self._conn.fetch(_DUE, now, limit)]

    async def steps_done(self, user_id: UUID) -> Sequence[str]:
        """The row stays locked until the end of the transaction: one erasure of a person at a time."""
        done = await self._conn.fetchval("SELECT done FROM person_erasure WHERE user_id = $1 FOR UPDATE", user_id)
        return list(done or ())

    async def note_step(self, user_id: UUID, step: str) -> None:
        await self._conn.execute(
            "UPDATE person_erasure SET done = array_append(done, $2) WHERE user_id = $1 AND NOT $2 = ANY(done)",
            *(user_id, step),
        )

    async def finish(self, user_id: UUID, now: datetime) -> None:
        await self._conn.execute(
            "UPDATE person_erasure SET finished_at = coalesce(finished_at, $2) WHERE user_id = $1", user_id, now
        )

    async def shred_key(self, user_id: UUID, now: datetime) -> None:
        """From the commit on, nothing they wrote can be read by anybody, in any dialog."""
        await self._conn.execute(_HOLD_KEY, user_id, now)
        await sealing.shred_key(self._conn, user_id, now)
        await self._conn.execute(_TOMBSTONE, user_id, now)

    async def free_held_keys(self) -> int:
        """End the keys that no legal hold needs any more."""
        return rows_affected(await self._conn.execute(_FREE_HELD_KEYS))

    async def delete_own(self, user_id: UUID, limit: int) -> int:
        """How many rows that are only theirs were deleted, at most ``limit``; 0 when there are none left."""
        for table, column in _OWN_ROWS:
            deleted = rows_affected(
                await self._conn.execute(_DELETE_OWN.format(table=table, column=column), user_id, limit)
            )
            if deleted:
                return deleted
        return 0

    async def delete_files(self, user_id: UUID, now: datetime) -> None:
        """Nobody gets their files from the commit on; the bytes go soon after, where no legal hold keeps them."""
        await HoldStore(self._conn).keep_files_if_held(user_id, now)
        await self._conn.execute(
            "UPDATE attachment SET status = 'deleted', file_name = '-', next_attempt_at = NULL "
            "WHERE owner_id = $1 AND status <> 'deleted'",
            user_id,
        )

    async def blank_reports(self, user_id: UUID) -> None:
        """A report stays with moderation; what its reporter wrote in it goes."""
        await self._conn.execute("UPDATE report SET detail = '' WHERE reporter_id = $1 AND detail <> ''", user_id)

    async def written_in(self, dialog_id: UUID, user_id: UUID, after_seq: int, limit: int) -> list[tuple[UUID, int]]:
        """Messages they wrote there, in order."""
        rows = await self._conn.fetch(_WRITTEN, dialog_id, user_id, after_seq, limit)
        return [(row["dialog_id"], row["seq"]) for row in rows]
