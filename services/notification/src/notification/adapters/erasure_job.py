"""Deletes what is past its time: in bounded steps, of which one row that cannot be deleted stops no other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from chassis.postgres import Database
from notification.domain.ids import DeliveryId, NotificationId, UserId
from operations import in_halves

KEEP_DELIVERIES_DAYS: Final = 30
ROWS: Final = 5_000

_OLD_NOTIFICATIONS: Final = """
SELECT user_id, notification_id FROM notification WHERE expires_at < now() LIMIT $1
"""
# Written while the account ended, by a transaction that did not see its end.
_NOTIFICATIONS_OF_ENDED_ACCOUNTS: Final = """
SELECT user_id, notification_id FROM notification JOIN recipient USING (user_id)
WHERE erased_at > now() - interval '7 days' LIMIT $1
"""
_OLD_DELIVERIES: Final = """
SELECT delivery_id FROM delivery
WHERE status <> 'pending' AND ended_at < now() - make_interval(days => $1) LIMIT $2
"""
_DELETE_NOTIFICATIONS: Final = """
DELETE FROM notification
WHERE (user_id, notification_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
"""
_DELETE_DELIVERIES: Final = "DELETE FROM delivery WHERE delivery_id = ANY($1)"


async def erase_expired(database: Database) -> None:
    """Notifications past their lifetime or of people whose account ended, and deliveries that ended long ago."""
    async with database.read() as conn:
        old = await conn.fetch(_OLD_NOTIFICATIONS, ROWS)
        ended = await conn.fetch(_NOTIFICATIONS_OF_ENDED_ACCOUNTS, ROWS)
        deliveries = await conn.fetch(_OLD_DELIVERIES, KEEP_DELIVERIES_DAYS, ROWS)
    notifications = [(row["user_id"], row["notification_id"]) for row in (*old, *ended)]
    await in_halves(notifications, partial(_delete_notifications, database))
    await in_halves([row["delivery_id"] for row in deliveries], partial(_delete_deliveries, database))


async def _delete_notifications(database: Database, keys: Sequence[tuple[UserId, NotificationId]]) -> int:
    async with database.begin() as conn:
        await conn.execute(_DELETE_NOTIFICATIONS, [key[0] for key in keys], [key[1] for key in keys])
    return len(keys)


async def _delete_deliveries(database: Database, ids: Sequence[DeliveryId]) -> int:
    async with database.begin() as conn:
        await conn.execute(_DELETE_DELIVERIES, ids)
    return len(ids)
