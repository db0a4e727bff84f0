"""What jobs could not do to single rows, in Postgres: for the next attempt, and for operators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from chassis.postgres import OnConnection
from payment.usecases.ports import DRIVE_TOP_UPS, EXPIRE_HOLDS, RETURN_CHARGES

_FIRST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_DOUBLINGS_MAX: Final = 8  # no more are needed, and an interval must not overflow
# A row that fails is tried again within the longest pause; one that nobody tried since has no failure any more.
_FORGOTTEN_AFTER: Final = timedelta(days=1)

_RECORD: Final = """
    INSERT INTO job_failure (job, item_id, error, failed_first_at, failed_last_at, next_attempt_at)
    VALUES ($1, $2, $3, $4, $4, $4::timestamptz + $5::interval)
    ON CONFLICT (job, item_id) DO UPDATE SET
        attempts = job_failure.attempts + 1, error = excluded.error, failed_last_at = excluded.failed_last_at,
        next_attempt_at = $4 + least($5 * 2 ^ least(job_failure.attempts, $7::int), $6::interval)
    RETURNING attempts
"""
_CLEAR: Final = "DELETE FROM job_failure WHERE job = $1 AND item_id = ANY ($2::text[])"
_POSTPONE: Final = "UPDATE job_failure SET next_attempt_at = $3 WHERE job = $1 AND item_id = ANY ($2::text[])"
_FORGET_DONE: Final = """
    DELETE FROM job_failure f WHERE CASE f.job
        WHEN $1 THEN NOT EXISTS (
            SELECT 1 FROM top_up u WHERE u.id = f.item_id::uuid
                AND (u.next_attempt_at IS NOT NULL OR u.confirm_at IS NOT NULL))
        WHEN $2 THEN NOT EXISTS (
            SELECT 1 FROM provider_line l WHERE l.transfer_id = f.item_id::uuid AND l.review_state = 'returning')
        WHEN $3 THEN NOT EXISTS (
            SELECT 1 FROM hold h WHERE h.id = f.item_id::uuid AND h.state = 'authorized')
        ELSE false END
"""
_FORGET_UNTRIED: Final = "DELETE FROM job_failure WHERE next_attempt_at < $1"


class JobFailureStore(OnConnection):
    async def record(self, job: str, item_id: str, error: str, now: datetime) -> int:
        """The row rests, each time twice as long; returns how often it failed."""
        attempts: int = await self._conn.fetchval(
            _RECORD, job, item_id, error, now, _FIRST_PAUSE, _LONGEST_PAUSE, _DOUBLINGS_MAX
        )
        return attempts

    async def clear(self, job: str, item_ids: Sequence[str]) -> None:
        """They were done."""
        await self._conn.execute(_CLEAR, job, list(item_ids))

    async def postpone(self, job: str, item_ids: Sequence[str], until: datetime) -> None:
        """Nothing new is known of those that failed; they are tried again then."""
        await self._conn.execute(_POSTPONE, job, list(item_ids), until)

    async def forget_done(self) -> None:
        """Failures of rows that came to their end by another way, also while the job was still at them."""
        await self._conn.execute(_FORGET_DONE, DRIVE_TOP_UPS, RETURN_CHARGES, EXPIRE_HOLDS)

    async def forget_untried(self, now: datetime) -> None:
        """Failures of rows that are no job's business any more."""
        await self._conn.execute(_FORGET_UNTRIED, now - _FORGOTTEN_AFTER)
