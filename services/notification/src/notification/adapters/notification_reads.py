"""What readers ask: a page of a person's notifications, and how many are unread."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from notification.adapters.delivery_store import notification_of
from notification.domain.delivery import WITHHELD
from notification.domain.notification import Notification

UNREAD_COUNT_MAX = 1_000


async def list_notifications(
    conn: asyncpg.Connection,
    user_id: UUID,
    *,
    before: tuple[datetime, UUID] | None,
    unread_only: bool,
    limit: int,
) -> list[Notification]:
    """Newest first, older than ``before``; one more than ``limit`` so that the caller knows of a next page."""
    created_before, id_before = before or (None, None)
    rows = await conn.fetch(
        """
        SELECT * FROM notification
        WHERE user_id = $1
          AND ($2::timestamptz IS NULL OR (created_at, notification_id) < ($2, $3::uuid))
          AND (NOT $4 OR read_at IS NULL)
        ORDER BY created_at DESC, notification_id DESC
        LIMIT $5
        """,
        user_id,
        created_before,
        id_before,
        unread_only,
        limit + 1,
    )
    return [notification_of(row) for row in rows]


async def unread_count(conn: asyncpg.Connection, user_id: UUID) -> int:
    """Unread notifications, counted up to ``UNREAD_COUNT_MAX``: the cost does not grow with neglect."""
    count = await conn.fetchval(
        "SELECT count(*) FROM (SELECT 1 FROM notification WHERE user_id = $1 AND read_at IS NULL LIMIT $2) AS unread",
        user_id,
        UNREAD_COUNT_MAX,
    )
    return int(count)


async def failed_deliveries(
    conn: asyncpg.Connection, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[asyncpg.Record]:
    """What could not be sent, newest first, without what it carried; one more than ``limit``."""
    ended_before, id_before = before or (None, None)
    return list(
        await conn.fetch(
            """
            SELECT delivery_id, notification_id, user_id, channel, message_type, attempts, failure_code, created_at,
                ended_at
            FROM delivery
            WHERE status = 'failed' AND status <> 'pending'
              AND ($1::timestamptz IS NULL OR (ended_at, delivery_id) < ($1, $2::uuid))
            ORDER BY ended_at DESC, delivery_id DESC
            LIMIT $3
            """,
            ended_before,
            id_before,
            limit + 1,
        )
    )


async def count_deliveries(conn: asyncpg.Connection) -> list[asyncpg.Record]:
    """How many wait, and how many ended within the last hour, by channel, status and reason.

    Those that failed as nothing was to be sent have a status of their own: they say nothing of a channel.
    """
    return list(
        await conn.fetch(
            """
            SELECT channel, CASE WHEN status = 'failed' AND failure_code = ANY($1) THEN 'withheld' ELSE status END
                AS status, failure_code, count(*) AS count FROM delivery
            WHERE status = 'pending' OR (status <> 'pending' AND ended_at > now() - interval '1 hour')
            GROUP BY 1, 2, 3
            """,
            sorted(WITHHELD),
        )
    )


async def oldest_pending(conn: asyncpg.Connection) -> list[asyncpg.Record]:
    """How long the oldest delivery has waited, by channel and lane."""
    return list(
        await conn.fetch(
            """
            SELECT channel, CASE WHEN priority = 'urgent' THEN 'urgent' ELSE 'normal' END AS lane,
                extract(epoch FROM now() - min(created_at))::float8 AS seconds
            FROM delivery WHERE status = 'pending' GROUP BY 1, 2
            """
        )
    )
