"""Charges in review as operators see them, and how many wait for how long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from payment.domain.ids import ReviewId

_SELECT: Final = """
    SELECT l.transfer_id AS review_id, l.provider, l.charge_id, l.amount_minor, l.currency, l.suspense_reason,
           l.review_state, l.seen_at, l.reviewed_at, l.reviewed_by, l.review_note, u.id AS top_up_id, u.user_id,
           u.wallet_id, u.amount_minor AS asked_minor, u.currency AS asked_currency
    FROM provider_line l LEFT JOIN top_up u ON u.id = l.reference_id AND u.provider = l.provider
"""
_REVIEWS: Final = f"""
    {_SELECT}
    WHERE l.review_state IN ('open', 'returning')
      AND ($1::timestamptz IS NULL OR (l.seen_at, l.transfer_id) > ($1, $2::uuid))
    ORDER BY l.seen_at, l.transfer_id LIMIT $3
"""
_REVIEW: Final = f"{_SELECT} WHERE l.transfer_id = $1 AND l.review_state IS NOT NULL"
_OPEN: Final = """
    SELECT count(*) AS waiting, min(seen_at) AS oldest_at FROM provider_line WHERE review_state = 'open'
"""
_OLDEST_RETURNING_AT: Final = "SELECT min(reviewed_at) FROM provider_line WHERE review_state = 'returning'"
Row = Any


async def reviews(conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[Row]:
    """At most ``limit`` charges in suspense that are not at their end, oldest first, younger than ``after``."""
    seen_at, last_id = after or (None, None)
    return await conn.fetch(_REVIEWS, seen_at, last_id, limit)


async def review(conn: Connection, review_id: ReviewId) -> Row | None:
    """A charge that is or was in suspense."""
    return await conn.fetchrow(_REVIEW, review_id)


async def open_reviews(conn: Connection) -> tuple[int, datetime | None]:
    """How many charges wait for a decision, and since when the oldest does."""
    row = await conn.fetchrow(_OPEN)
    return (row["waiting"], row["oldest_at"]) if row else (0, None)


async def oldest_returning_at(conn: Connection) -> datetime | None:
    """Since when the oldest charge that an operator sent back waits for its provider's yes."""
    at: datetime | None = await conn.fetchval(_OLDEST_RETURNING_AT)
    return at
