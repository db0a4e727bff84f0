"""What operators and gauges are shown of deliveries: those that failed, how many there are, how long they wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from chassis.postgres import Connection
from notification.domain.delivery import WITHHELD
from notification.domain.ids import DeliveryId

_LIST_FAILED: Final = """
SELECT delivery_id, notification_id, user_id, channel, message_type, attempts, failure_code, created_at, ended_at
FROM delivery
WHERE status = 'failed' AND status <> 'pending'
  AND ($1::timestamptz IS NULL OR (ended_at, delivery_id) < ($1, $2::uuid))
ORDER BY ended_at DESC, delivery_id DESC
LIMIT $3
"""
_COUNT: Final = """
SELECT channel, CASE WHEN status = 'failed' AND failure_code = ANY($1) THEN 'withheld' ELSE status END AS status,
    failure_code, count(*) AS count
FROM delivery
WHERE status = 'pending' OR (status <> 'pending' AND ended_at > now() - interval '1 hour')
GROUP BY 1, 2, 3
"""
_OLDEST_PENDING: Final = """
SELECT channel, CASE WHEN priority = 'urgent' THEN 'urgent' ELSE 'normal' END AS lane,
    extract(epoch FROM now() - min(created_at))::float8 AS seconds
FROM delivery WHERE status = 'pending' GROUP BY 1, 2
"""


async def list_failed_deliveries(
    conn: Connection, *, before: tuple[datetime, DeliveryId] | None, limit: int
) -> Sequence[asyncpg.Record]:
    """What could not be sent, newest first, without what it carried."""
    ended_before, id_before = before or (None, None)
    return await conn.fetch(_LIST_FAILED, ended_before, id_before, limit)


async def count_deliveries(conn: Connection) -> Sequence[asyncpg.Record]:
    """How many wait, and how many ended within the last hour, by channel, status and reason.

    Those that failed as nothing was to be sent have a status of their own: they say nothing of a channel.
    """
    return await conn.fetch(_COUNT, sorted(WITHHELD))


async def oldest_pending(conn: Connection) -> Sequence[asyncpg.Record]:
    """How long the oldest delivery has waited, by channel and lane."""
    return await conn.fetch(_OLDEST_PENDING)
