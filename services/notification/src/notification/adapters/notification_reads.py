"""A page of a person's notifications, and how many are unread."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from chassis.postgres import Connection
from notification.adapters.notification_store import notification_of
from notification.domain.ids import NotificationId, UserId
from notification.domain.notification import Notification

UNREAD_COUNT_MAX: Final = 1_000
_LIST: Final = """
SELECT * FROM notification
WHERE user_id = $1
  AND ($2::timestamptz IS NULL OR (created_at, notification_id) < ($2, $3::uuid))
  AND (NOT $4 OR read_at IS NULL)
ORDER BY created_at DESC, notification_id DESC
LIMIT $5
"""
_COUNT_UNREAD: Final = """
SELECT count(*) FROM (SELECT 1 FROM notification WHERE user_id = $1 AND read_at IS NULL LIMIT $2) AS unread
"""


async def list_notifications(
    conn: Connection, user_id: UserId, *, before: tuple[datetime, NotificationId] | None, unread_only: bool, limit: int
) -> list[Notification]:
    """Newest first, older than ``before``."""
    created_before, id_before = before or (None, None)
    rows = await conn.fetch(_LIST, user_id, created_before, id_before, unread_only, limit)
    return [notification_of(row) for row in rows]


async def unread_count(conn: Connection, user_id: UserId) -> int:
    """Unread notifications, counted up to ``UNREAD_COUNT_MAX``: the cost does not grow with neglect."""
    return int(await conn.fetchval(_COUNT_UNREAD, user_id, UNREAD_COUNT_MAX))
