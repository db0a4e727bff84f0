"""Postgres stores: hand-written SQL, one statement each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from notification.domain.delivery import (
    ACCOUNT_ENDED_CODE,
    LEASE_S,
    UNREADABLE_CODE,
    Delivery,
    DeliveryStatus,
    Ended,
    TryAgain,
)
from notification.domain.notification import Category, Channel, Notification, Priority
from notification.domain.recipient import Recipient
from notification.usecases.ports import Result

log = structlog.get_logger(__name__)


class PgRecipientStore:
    """Copies of people; an older version never overwrites a newer one."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn

    async def put(self, recipient: Recipient, *, version: int) -> None:
        await self._conn.execute(
            """
            INSERT INTO recipient (user_id, version, display_name, locale, time_zone, email, phone_e164, email_proved,
                                   phone_proved)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (user_id) DO UPDATE
            SET version = excluded.version, display_name = excluded.display_name, locale = excluded.locale,
                time_zone = excluded.time_zone, email = excluded.email, phone_e164 = excluded.phone_e164,
                email_proved = excluded.email_proved, phone_proved = excluded.phone_proved
            WHERE recipient.version < excluded.version AND recipient.erased_at IS NULL
            """,
            recipient.user_id,
            version,
            recipient.display_name,
            recipient.locale,
            recipient.time_zone,
            recipient.email,
            recipient.phone_e164,
            recipient.email_proved,
            recipient.phone_proved,
        )

    async def get_many(self, user_ids: Sequence[UUID]) -> dict[UUID, Recipient]:
        if not user_ids:
            return {}
        rows = await self._conn.fetch("SELECT * FROM recipient WHERE user_id = ANY($1)", list(user_ids))
        return {row["user_id"]: _recipient(row) for row in rows}

    async def end(self, user_id: UUID, *, at: datetime) -> Recipient:
        known = await self._conn.fetchrow("SELECT * FROM recipient WHERE user_id = $1 FOR UPDATE", user_id)
        await self._conn.execute(
            """
            INSERT INTO recipient (user_id, version, display_name, locale, time_zone, erased_at)
            VALUES ($1, 0, '', '', '', $2)
            ON CONFLICT (user_id) DO UPDATE
            SET display_name = '', email = '', phone_e164 = '', erased_at = excluded.erased_at
            WHERE recipient.erased_at IS NULL
            """,
            user_id,
            at,
        )
        return _recipient(known) if known else _unknown(user_id)


class PgNotificationStore:
    """What people were told."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn

    async def add(self, notification: Notification) -> bool:
        inserted = await self._conn.fetchval(
            """
            INSERT INTO notification (user_id, notification_id, notification_type, category, priority, dedupe_key,
                                      action_url, params, created_at, expires_at)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10
            WHERE NOT EXISTS (SELECT FROM recipient WHERE user_id = $1 AND erased_at IS NOT NULL)
            ON CONFLICT DO NOTHING
            RETURNING true
            """,
            notification.user_id,
            notification.notification_id,
            notification.notification_type,
            notification.category,
            notification.priority,
            notification.dedupe_key,
            notification.action_url,
            dict(notification.params),
            notification.created_at,
            notification.expires_at,
        )
        return bool(inserted)

    async def mark_read(self, user_id: UUID, ids: Sequence[UUID], *, at: datetime) -> int:
        return await self._mark("notification_id = ANY($2)", user_id, list(ids), at)

    async def mark_all_read(self, user_id: UUID, *, up_to: datetime, at: datetime) -> int:
        return await self._mark("created_at <= $2", user_id, up_to, at)

    async def _mark(self, which: str, user_id: UUID, limit: Any, at: datetime) -> int:
        """Rows are locked in one order, so that two devices of a person never wait for each other in a circle."""
        status = await self._conn.execute(
            f"""
            WITH unread AS (
                SELECT notification_id FROM notification
                WHERE user_id = $1 AND read_at IS NULL AND {which}
                ORDER BY notification_id FOR UPDATE
            )
            UPDATE notification SET read_at = $3
            FROM unread WHERE notification.user_id = $1 AND notification.notification_id = unread.notification_id
            """,
            user_id,
            limit,
            at,
        )
        return _count(status)

    async def erase_of(self, user_id: UUID) -> None:
        await self._conn.execute("DELETE FROM notification WHERE user_id = $1", user_id)


class PgDeliveryStore:
    """Messages waiting for a channel; leased with SKIP LOCKED, so that many workers share the queue."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn

    async def add(self, delivery: Delivery) -> bool:
        inserted = await self._conn.fetchval(
            """
            INSERT INTO delivery (delivery_id, notification_id, user_id, channel, priority, message_type, params,
                                  payload, status, created_at, expires_at, next_attempt_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $10, $9)
            ON CONFLICT DO NOTHING
            RETURNING true
            """,
            delivery.delivery_id,
            delivery.notification_id,
            delivery.user_id,
            delivery.channel,
            delivery.priority,
            delivery.message_type,
            dict(delivery.params) if delivery.params is not None else None,
            dict(delivery.payload) if delivery.payload is not None else None,
            delivery.created_at,
            delivery.expires_at,
        )
        return bool(inserted)

    async def lease(self, *, channel: Channel, urgent: bool, limit: int, now: datetime) -> list[Delivery]:
        rows = await self._conn.fetch(
            """
            UPDATE delivery SET next_attempt_at = $5, attempts = least(attempts, 999) + 1
            WHERE delivery_id IN (
                SELECT delivery_id FROM delivery
                WHERE status = 'pending' AND channel = $1 AND (priority = 'urgent') = $2 AND next_attempt_at <= $3
                ORDER BY next_attempt_at
                LIMIT $4
                FOR UPDATE SKIP LOCKED
            )
            RETURNING *
            """,
            channel,
            urgent,
            now,
            limit,
            now + timedelta(seconds=LEASE_S),
        )
        leased = []
        for row in rows:
            try:
                leased.append(_delivery(row))
            except (ValueError, TypeError, KeyError):
                log.exception("delivery.unreadable", delivery_id=str(row["delivery_id"]))
                await self._end("delivery_id = $3", UNREADABLE_CODE, now, row["delivery_id"])
        return leased

    async def renew(self, deliveries: Sequence[Delivery], *, now: datetime) -> None:
        await self._conn.execute(
            """
            UPDATE delivery SET next_attempt_at = $3
            FROM unnest($1::uuid[], $2::int[]) AS under_way (delivery_id, attempts)
            WHERE delivery.delivery_id = under_way.delivery_id AND delivery.attempts = under_way.attempts
                AND status = 'pending'
            """,
            [each.delivery_id for each in deliveries],
            [each.attempts for each in deliveries],
            now + timedelta(seconds=LEASE_S),
        )

    async def finish(self, results: Sequence[Result], *, at: datetime) -> set[UUID]:
        rows = await self._conn.fetch(
            """
            UPDATE delivery
            SET status = new.status, next_attempt_at = new.next_attempt_at,
                provider_message_id = new.provider_message_id, failure_code = new.failure_code,
                ended_at = new.ended_at, payload = CASE WHEN new.status = 'pending' THEN payload END,
                params = CASE WHEN new.status = 'pending' THEN params END
            FROM unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
                $7::timestamptz[])
            AS new (delivery_id, attempts, status, next_attempt_at, provider_message_id, failure_code, ended_at)
            WHERE delivery.delivery_id = new.delivery_id AND delivery.status = 'pending'
                AND (new.status <> 'pending' OR delivery.attempts = new.attempts)
            RETURNING delivery.delivery_id
            """,
            *(list(column) for column in zip(*(_finished(*result, at) for result in results), strict=True)),
        )
        return {row["delivery_id"] for row in rows}

    async def end_of(self, recipient: Recipient, *, at: datetime) -> None:
        await self._end("user_id = $3", ACCOUNT_ENDED_CODE, at, recipient.user_id)
        addresses = [each for each in (recipient.email, recipient.phone_e164) if each]
        codes = "user_id IS NULL AND created_at <= $2 AND payload ->> 'destination' = ANY($3)"
        await self._end(codes, ACCOUNT_ENDED_CODE, at, addresses)

    async def _end(self, which: str, failure_code: str, at: datetime, value: Any) -> None:
        await self._conn.execute(
            f"""
            UPDATE delivery
            SET status = 'failed', failure_code = $1, ended_at = $2, next_attempt_at = NULL, payload = NULL,
                params = NULL
            WHERE status = 'pending' AND {which}
            """,
            failure_code,
            at,
            value,
        )


def _finished(delivery: Delivery, result: Ended | TryAgain, at: datetime) -> tuple[Any, ...]:
    leased = (delivery.delivery_id, delivery.attempts)
    if isinstance(result, Ended):
        return *leased, result.status, None, result.provider_message_id, result.failure_code, at
    return *leased, DeliveryStatus.PENDING, result.at, "", result.failure_code, None


def _unknown(user_id: UUID) -> Recipient:
    return Recipient(user_id=user_id, display_name="", locale="", time_zone="", email="", phone_e164="")


def _recipient(row: asyncpg.Record) -> Recipient:
    return Recipient(
        user_id=row["user_id"],
        display_name=row["display_name"],
        locale=row["locale"],
        time_zone=row["time_zone"],
        email=row["email"],
        phone_e164=row["phone_e164"],
        email_proved=row["email_proved"],
        phone_proved=row["phone_proved"],
        has_ended=row["erased_at"] is not None,
    )


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(
        delivery_id=row["delivery_id"],
        notification_id=row["notification_id"],
        user_id=row["user_id"],
        channel=Channel(row["channel"]),
        priority=Priority(row["priority"]),
        message_type=row["message_type"],
        params=as_object(row["params"]),
        payload=as_object(row["payload"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        attempts=row["attempts"],
    )


def notification_of(row: asyncpg.Record) -> Notification:
    """A row of ``notification`` as the domain sees it."""
    return Notification(
        notification_id=row["notification_id"],
        user_id=row["user_id"],
        notification_type=row["notification_type"],
        category=Category(row["category"]),
        priority=Priority(row["priority"]),
        dedupe_key=row["dedupe_key"],
        action_url=row["action_url"],
        params=as_object(row["params"]) or {},
        created_at=row["created_at"],
        read_at=row["read_at"],
        expires_at=row["expires_at"],
    )


def as_object(value: Any) -> dict[str, Any] | None:
    """A jsonb column, whether or not the connection has a codec for it."""
    loaded = orjson.loads(value) if isinstance(value, (str, bytes)) else value
    return loaded if loaded is None else dict(loaded)


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
