"""Charges in suspense, in Postgres: lines of providers whose money waits for an operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from chassis.postgres import OnConnection
from kernel.rows import rows_affected
from payment.adapters.job_failure_store import JobFailureStore
from payment.domain.ids import ReviewId, TopUpId, TransferId
from payment.domain.review import Review, ReviewState
from payment.domain.top_up import LEASE, SuspenseReason
from payment.usecases.ports import RETURN_CHARGES

_SELECT: Final = """
    SELECT l.transfer_id AS id, l.provider, l.charge_id, u.id AS top_up_id, t.credit_id AS suspense_id, l.amount_minor,
           l.currency, l.suspense_reason AS reason, l.shown_as, l.seen_at, l.review_state AS state, l.return_attempts
    FROM provider_line l JOIN transfer t ON t.id = l.transfer_id
    LEFT JOIN top_up u ON u.id = l.reference_id AND u.provider = l.provider
    WHERE l.transfer_id = $1 AND l.review_state IS NOT NULL
"""
_LOCK: Final = f"{_SELECT} FOR UPDATE OF l"
# Who decided, and why, stay as they were where nothing is said.
_DECIDE: Final = """
    UPDATE provider_line SET review_state = $2, reviewed_by = coalesce($3, reviewed_by),
        review_note = coalesce(nullif($4, ''), review_note), reviewed_at = $5,
        next_attempt_at = CASE WHEN $2 = 'returning' THEN $5::timestamptz END, return_attempts = 0
    WHERE transfer_id = $1
"""
_ATTACH: Final = """
    UPDATE provider_line SET reference_id = $2, suspense_reason = $3, shown_as = $4
    WHERE transfer_id = $1 AND review_state IS NOT NULL AND reference_id IS NOT DISTINCT FROM $5
"""
_DUE: Final = """
    SELECT transfer_id FROM provider_line l
    WHERE review_state = 'returning' AND next_attempt_at <= $1 AND NOT EXISTS (
        SELECT 1 FROM job_failure f WHERE f.job = $3 AND f.item_id = l.transfer_id::text AND f.next_attempt_at > $1)
    ORDER BY seen_at LIMIT $2
"""
_LEASE: Final = """
    UPDATE provider_line SET return_attempts = return_attempts + 1, next_attempt_at = $3
    WHERE transfer_id = $1 AND review_state = 'returning' AND next_attempt_at <= $2
"""
_WAIT: Final = """
    UPDATE provider_line SET next_attempt_at = $2 WHERE transfer_id = $1 AND review_state = 'returning'
"""


class ReviewStore(OnConnection):
    async def find(self, review_id: ReviewId) -> Review | None:
        row = await self._conn.fetchrow(_SELECT, review_id)
        return _review(row) if row else None

    async def lock(self, review_id: ReviewId) -> Review | None:
        row = await self._conn.fetchrow(_LOCK, review_id)
        return _review(row) if row else None

    async def decide(
        self, review: Review, state: ReviewState, *, by: str | None = None, note: str = "", now: datetime
    ) -> None:
        """``by`` and ``note`` stay as they were where nothing is said."""
        await self._conn.execute(_DECIDE, review.id, state, by, note, now)
        if state is not ReviewState.RETURNING:
            await JobFailureStore(self._conn).clear(RETURN_CHARGES, [str(review.id)])

    async def attach(
        self,
        review_id: ReviewId,
        top_up_id: TopUpId,
        *,
        was: TopUpId | None,
        reason: SuspenseReason,
        shown_as: TransferId,
    ) -> Review | None:
        """A charge under a reference of nobody becomes this top-up's; None for one that became somebody's meanwhile."""
        status = await self._conn.execute(_ATTACH, review_id, top_up_id, reason, shown_as, was)
        return await self.find(review_id) if rows_affected(status) else None

    async def due(self, now: datetime, *, count: int) -> Sequence[ReviewId]:
        """Charges on their way back whose timer rang, without those that failed and rest."""
        return [row["transfer_id"] for row in await self._conn.fetch(_DUE, now, count, RETURN_CHARGES)]

    async def lease(self, review_id: ReviewId, now: datetime) -> Review | None:
        """A due one, with its timer moved on so that nobody else takes it meanwhile; None when somebody did."""
        status = await self._conn.execute(_LEASE, review_id, now, now + LEASE)
        return await self.find(review_id) if rows_affected(status) else None

    async def wait(self, review_id: ReviewId, *, next_attempt_at: datetime) -> None:
        """Ask the provider again later."""
        await self._conn.execute(_WAIT, review_id, next_attempt_at)


def _review(row: Any) -> Review:
    return Review(**{**row, "state": ReviewState(row["state"])})
