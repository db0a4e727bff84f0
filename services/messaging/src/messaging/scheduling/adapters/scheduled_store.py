"""Scheduled messages as rows: what they say sealed under the sender's key."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from chassis.postgres import Connection
from kernel.rows import rows_affected
from messaging.core.adapters import document_reads
from messaging.core.adapters.ending_store import HAS_ENDED
from messaging.scheduling.domain.scheduled import FailureCode, Outcome, Scheduled
from sealing import PersonKeys, Sealer, opened_json
from sealing.opening import Keys

_COLUMNS: Final = "scheduled_id, user_id, dialog_id, send_at, body, status, failure_code, seq, created_at"
_ADD: Final = f"""
    INSERT INTO scheduled_message ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, 'pending', '', NULL, $6)
    ON CONFLICT (scheduled_id) DO NOTHING
"""
_PENDING_COUNT: Final = """
    SELECT count(*) FROM scheduled_message WHERE user_id = $1 AND status = 'pending' AND scheduled_id <> $2
"""
_CANCEL: Final = """
    UPDATE scheduled_message SET status = 'cancelled', body = ''
    WHERE scheduled_id = $1 AND user_id = $2 AND status = 'pending' RETURNING dialog_id
"""
_PUT_OFF: Final = """
    UPDATE scheduled_message SET attempts = least(attempts, 1000000) + 1, next_attempt_at = $2
    WHERE scheduled_id = $1 AND status = 'pending'
"""
# What could not be opened is kept as it is: the key may have been at fault, and may be mended.
_SETTLE: Final = """
    UPDATE scheduled_message SET status = $2, failure_code = $3, seq = $4,
        body = CASE WHEN $5::boolean THEN body ELSE '' END WHERE scheduled_id = $1 AND status = 'pending'
"""
_OF_PERSON: Final = f"""
    SELECT {_COLUMNS} FROM scheduled_message WHERE user_id = $1 AND (status = 'pending'
        OR (status = 'failed' AND send_at > now() - interval '7 days')) ORDER BY send_at LIMIT 200
"""
_DUE: Final = f"""
    SELECT {_COLUMNS}, attempts FROM scheduled_message s WHERE status = 'pending' AND send_at <= $1
      AND NOT EXISTS (SELECT FROM account a WHERE a.user_id = s.user_id AND {HAS_ENDED})
      AND coalesce(next_attempt_at, send_at) <= $1 ORDER BY coalesce(next_attempt_at, send_at) LIMIT $2
"""


class ScheduledStore:
    """Of people whose keys the transaction's sealer has ready."""

    def __init__(self, conn: Connection, sealer: Sealer) -> None:
        self._conn = conn
        self._sealer = sealer

    async def add(self, new: Scheduled) -> bool:
        """False when there is one with this id."""
        sealed = self._sealer.encrypt(new.user_id, document_reads.to_json(new.body))
        added = await self._conn.execute(
            _ADD, *(new.scheduled_id, new.user_id, new.dialog_id, new.send_at, sealed, new.created_at)
        )
        return rows_affected(added) == 1

    async def find(self, scheduled_id: UUID, reader_id: UUID) -> Scheduled | None:
        """Anybody's; only the reader's own is opened."""
        row = await self._conn.fetchrow(
            f"SELECT {_COLUMNS} FROM scheduled_message WHERE scheduled_id = $1", scheduled_id
        )
        if row is None:
            return None
        return _of(row, self._sealer) if row["user_id"] == reader_id else Scheduled(**{**dict(row), "body": None})

    async def pending_count(self, user_id: UUID, *, besides: UUID) -> int:
        return int(await self._conn.fetchval(_PENDING_COUNT, user_id, besides))

    async def cancel(self, scheduled_id: UUID, user_id: UUID) -> UUID | None:
        """The dialog it was for; None: it does not wait, or is another's."""
        dialog_id: UUID | None = await self._conn.fetchval(_CANCEL, scheduled_id, user_id)
        return dialog_id

    async def put_off(self, scheduled_id: UUID, until: datetime) -> None:
        """It was tried, and is not tried again before then."""
        await self._conn.execute(_PUT_OFF, scheduled_id, until)

    async def settle(self, scheduled_id: UUID, outcome: Outcome) -> bool:
        """False when it does not wait any more."""
        status = "failed" if outcome.failure_code else "sent"
        kept = outcome.failure_code == FailureCode.UNREADABLE
        settled = await self._conn.execute(_SETTLE, scheduled_id, status, outcome.failure_code, outcome.seq, kept)
        return rows_affected(settled) == 1


class ScheduledReads:
    def __init__(self, conn: Connection, keys: PersonKeys) -> None:
        self._conn = conn
        self._keys = keys

    async def of_person(self, user_id: UUID) -> list[Scheduled]:
        """Those that wait, and those that failed within a week; the next first."""
        rows = await self._conn.fetch(_OF_PERSON, user_id)
        await self._keys.load(self._conn, [user_id])
        return [_of(row, self._keys) for row in rows]

    async def due(self, now: datetime, limit: int) -> list[Scheduled]:
        """Of people who are still here; two processes may see the same one, and send it once all the same."""
        rows = await self._conn.fetch(_DUE, now, limit)
        await self._keys.load(self._conn, {row["user_id"] for row in rows})
        return [_of(row, self._keys) for row in rows]


def _of(row: asyncpg.Record, keys: Keys) -> Scheduled:
    body = opened_json(keys, row["user_id"], row["body"], scheduled_id=row["scheduled_id"])
    return Scheduled(**{**dict(row), "body": body})
