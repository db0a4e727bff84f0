"""Charges in suspense, in Postgres: lines of providers whose money waits for an operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from payment.adapters.ledger import Connection
from payment.domain.review import Review, ReviewState
from payment.domain.top_up import LEASE

_COLUMNS: Final = (
    "l.transfer_id AS id, l.provider, l.charge_id, u.id AS top_up_id, t.credit_id AS suspense_id, l.amount_minor,"
    " l.currency, l.suspense_reason AS reason, l.shown_as, l.seen_at, l.review_state AS state, l.return_attempts"
)
_FROM: Final = (
    "provider_line l JOIN transfer t ON t.id = l.transfer_id"
    " LEFT JOIN top_up u ON u.id = l.reference_id AND u.provider = l.provider"
)
_SELECT: Final = f"SELECT {_COLUMNS} FROM {_FROM} WHERE l.review_state IS NOT NULL"


class PgReviewStore:
    """Bound to one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def find(self, review_id: UUID) -> Review | None:
        row = await self._conn.fetchrow(f"{_SELECT} AND l.transfer_id = $1", review_id)
        return _review(row) if row else None

    async def lock(self, review_id: UUID) -> Review | None:
        row = await self._conn.fetchrow(f"{_SELECT} AND l.transfer_id = $1 FOR UPDATE OF l", review_id)
        return _review(row) if row else None

    async def decide(
        self, review: Review, state: ReviewState, *, by: str | None = None, note: str = "", now: datetime
    ) -> None:
        """``by`` and ``note`` stay as they were where nothing is said."""
        await self._conn.execute(
            "UPDATE provider_line SET review_state = $2, reviewed_by = coalesce($3, reviewed_by),"
            " review_note = coalesce(nullif($4, ''), review_note), reviewed_at = $5,"
            " next_attempt_at = CASE WHEN $2 = 'returning' THEN $5::timestamptz END, return_attempts = 0"
            " WHERE transfer_id = $1",
            review.id,
            state,
            by,
            note,
            now,
        )

    async def lease_returning(self, now: datetime, *, count: int) -> Sequence[Review]:
        """Due ones, with their timer moved on so that nobody else takes them meanwhile, by longer each time."""
        rows = await self._conn.fetch(
            "UPDATE provider_line SET return_attempts = return_attempts + 1,"
            " next_attempt_at = $1 + $2::interval * least(return_attempts + 1, 30)"
            " WHERE transfer_id IN (SELECT transfer_id FROM provider_line WHERE review_state = 'returning'"
            " AND next_attempt_at <= $1 ORDER BY seen_at LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING transfer_id",
            now,
            LEASE,
            count,
        )
        leased = await self._conn.fetch(
            f"{_SELECT} AND l.transfer_id = ANY ($1::uuid[])", [row["transfer_id"] for row in rows]
        )
        return [_review(row) for row in leased]

    async def wait(self, review_id: UUID, *, next_attempt_at: datetime) -> None:
        """Ask the provider again later."""
        await self._conn.execute(
            "UPDATE provider_line SET next_attempt_at = $2 WHERE transfer_id = $1 AND review_state = 'returning'",
            review_id,
            next_attempt_at,
        )


def _review(row: Any) -> Review:
    return Review(**{**row, "state": ReviewState(row["state"])})
