"""Notifications in Postgres: what people were told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final

import asyncpg

from chassis.postgres import OnConnection
from kernel.rows import object_of, rows_affected, values_of
from notification.adapters.metrics import What, note_unreadable
from notification.domain.ids import NotificationId, UserId
from notification.domain.notification import Category, Notification, Priority

_COLUMNS: Final = """
user_id, notification_id, notification_type, category, priority, dedupe_key, action_url, params, created_at, expires_at
"""
_ADD: Final = f"""
INSERT INTO notification ({_COLUMNS})
SELECT new.*
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
            $9::timestamptz[], $10::timestamptz[]) AS new ({_COLUMNS})
WHERE NOT EXISTS (SELECT FROM recipient WHERE recipient.user_id = new.user_id AND erased_at IS NOT NULL)
ON CONFLICT DO NOTHING
RETURNING notification_id
"""
# Rows are locked in one order, so that two devices of a person never wait for each other in a circle.
_MARK: Final = """
WITH unread AS (
    SELECT notification_id FROM notification
    WHERE user_id = $1 AND read_at IS NULL AND {which}
    ORDER BY notification_id FOR UPDATE
)
UPDATE notification SET read_at = $3
FROM unread WHERE notification.user_id = $1 AND notification.notification_id = unread.notification_id
"""
_MARK_SOME: Final = _MARK.format(which="notification_id = ANY($2)")
_MARK_ALL: Final = _MARK.format(which="created_at <= $2")
_ERASE: Final = "DELETE FROM notification WHERE user_id = $1"


class NotificationStore(OnConnection):
    async def add(self, notifications: Sequence[Notification]) -> set[NotificationId]:
        in_turn = sorted(notifications, key=attrgetter("notification_id"))  # as whoever adds the same ones at once
        rows = [values_of(each, _COLUMNS, params=dict(each.params)) for each in in_turn]
        if not rows:
            return set()
        return {row["notification_id"] for row in await self._conn.fetch(_ADD, *zip(*rows, strict=True))}

    async def mark_read(self, user_id: UserId, ids: Sequence[NotificationId], *, at: datetime) -> int:
        return rows_affected(await self._conn.execute(_MARK_SOME, user_id, list(ids), at))

    async def mark_all_read(self, user_id: UserId, *, up_to: datetime, at: datetime) -> int:
        return rows_affected(await self._conn.execute(_MARK_ALL, user_id, up_to, at))

    async def erase_of(self, user_id: UserId) -> None:
        await self._conn.execute(_ERASE, user_id)


def notification_of(row: asyncpg.Record) -> Notification:
    """A row of ``notification`` as the domain sees it; without parameters where those are damaged."""
    params = row["params"]
    if not isinstance(params, dict):
        note_unreadable(What.NOTIFICATION, field="params", notification_id=row["notification_id"])
        params = {}
    category, priority = Category(row["category"]), Priority(row["priority"])
    return object_of(Notification, row, category=category, priority=priority, params=params)
