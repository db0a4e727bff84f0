"""Top-ups as their owner sees them, and how long the oldest waits."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from chassis.postgres import Connection
from payment.domain.ids import TopUpId, UserId

# A charge that a provider names under two references is the one's in whose name it is booked.
_TOP_UP: Final = """
    SELECT u.id, u.wallet_id, u.amount_minor, u.currency, u.provider, u.state, u.failure_code, u.created_at,
           u.completed_at, l.amount_minor AS charged_minor, l.currency AS charged_currency
    FROM top_up u
    LEFT JOIN provider_line l ON l.provider = u.provider AND l.charge_id = u.provider_charge_id
        AND l.reference_id = u.id
    WHERE u.id = $1 AND u.user_id = $2
"""
_OLDEST_OPEN_AT: Final = "SELECT min(created_at) FROM top_up WHERE next_attempt_at IS NOT NULL"
Row = Any


async def top_up(conn: Connection, user_id: UserId, top_up_id: TopUpId) -> Row | None:
    """One of the user's top-ups, with what its provider charged."""
    return await conn.fetchrow(_TOP_UP, top_up_id, user_id)


async def oldest_open_at(conn: Connection) -> datetime | None:
    """Since when the oldest top-up waits for its provider's word."""
    at: datetime | None = await conn.fetchval(_OLDEST_OPEN_AT)
    return at
