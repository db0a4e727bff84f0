"""Deliveries in Postgres: messages that wait for a channel, leased with SKIP LOCKED so that many senders share them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import asyncpg

from chassis.postgres import Connection
from kernel.rows import columns_of, object_of, rows_affected, values_of
from notification.adapters.metrics import What, note_unreadable
from notification.domain.delivery import LEASE_S, Delivery, DeliveryStatus, Ended, FailureCode, Result, TryAgain
from notification.domain.ids import DeliveryId
from notification.domain.notification import Channel, Priority
from notification.domain.recipient import Recipient

_COLUMNS: Final = """
delivery_id, notification_id, user_id, channel, priority, message_type, params, payload, created_at, expires_at
"""
_ADD: Final = f"""
INSERT INTO delivery ({_COLUMNS}, status, next_attempt_at)
SELECT new.*, 'pending', created_at
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::jsonb[],
            $9::timestamptz[], $10::timestamptz[]) AS new ({_COLUMNS})
ON CONFLICT DO NOTHING
"""
_LEASE: Final = """
UPDATE delivery SET next_attempt_at = $5, attempts = least(attempts, 999) + 1
WHERE delivery_id IN (
    SELECT delivery_id FROM delivery
    WHERE status = 'pending' AND channel = $1 AND (priority = 'urgent') = $2 AND next_attempt_at <= $3
    ORDER BY next_attempt_at
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
RETURNING *
"""
_RENEW: Final = """
UPDATE delivery SET next_attempt_at = $3
FROM unnest($1::uuid[], $2::int[]) AS under_way (delivery_id, attempts)
WHERE delivery.delivery_id = under_way.delivery_id AND delivery.attempts = under_way.attempts AND status = 'pending'
"""
_FINISH: Final = """
UPDATE delivery
SET status = new.status, next_attempt_at = new.next_attempt_at, provider_message_id = new.provider_message_id,
    failure_code = new.failure_code, ended_at = new.ended_at,
    payload = CASE WHEN new.status = 'pending' THEN payload END,
    params = CASE WHEN new.status = 'pending' THEN params END
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::timestamptz[])
AS new (delivery_id, attempts, status, next_attempt_at, provider_message_id, failure_code, ended_at)
WHERE delivery.delivery_id = new.delivery_id AND delivery.status = 'pending'
    AND (new.status <> 'pending' OR delivery.attempts = new.attempts)
RETURNING delivery.delivery_id
"""
_END: Final = """
UPDATE delivery
SET status = 'failed', failure_code = $1, ended_at = $2, next_attempt_at = NULL, payload = NULL, params = NULL
WHERE status = 'pending' AND {which}
"""
_END_ONE: Final = _END.format(which="delivery_id = $3")
_END_OF_PERSON: Final = _END.format(which="user_id = $3")
_END_CODES_TO: Final = _END.format(which="user_id IS NULL AND created_at <= $2 AND payload ->> 'destination' = ANY($3)")


class DeliveryStore:
    """``queued``: whether it has added any, so that a sender is woken for it."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.queued = False

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        rows = [
            values_of(each, _COLUMNS, params=_object(each.params), payload=_object(each.payload))
            for each in sorted(deliveries, key=attrgetter("delivery_id"))
        ]
        added = rows_affected(await self._conn.execute(_ADD, *zip(*rows, strict=True)))
        self.queued = self.queued or added > 0

    async def lease(self, *, channel: Channel, urgent: bool, limit: int, now: datetime) -> list[Delivery]:
        """Those that are due, each with this attempt counted. A row that cannot be read ends as failed."""
        until = now + timedelta(seconds=LEASE_S)
        leased = []
        for row in await self._conn.fetch(_LEASE, channel, urgent, now, limit, until):
            try:
                leased.append(_delivery(row))
            except (ValueError, TypeError, KeyError) as error:
                note_unreadable(What.DELIVERY, delivery_id=row["delivery_id"], error=type(error).__name__)
                await self._conn.execute(_END_ONE, FailureCode.UNREADABLE, now, row["delivery_id"])
        return leased

    async def renew(self, deliveries: Sequence[Delivery], *, now: datetime) -> None:
        """Lease on what is under way: not what ended meanwhile, nor what was leased anew by another."""
        until = now + timedelta(seconds=LEASE_S)
        await self._conn.execute(_RENEW, *columns_of(deliveries, "delivery_id", "attempts"), until)

    async def finish(self, results: Sequence[Result], *, at: datetime) -> set[DeliveryId]:
        columns = zip(*(_finished(*result, at) for result in results), strict=True)
        return {row["delivery_id"] for row in await self._conn.fetch(_FINISH, *map(list, columns))}

    async def end_of(self, recipient: Recipient, *, at: datetime) -> None:
        await self._conn.execute(_END_OF_PERSON, FailureCode.ACCOUNT_ENDED, at, recipient.user_id)
        addresses = [each for each in (recipient.email, recipient.phone_e164) if each]
        await self._conn.execute(_END_CODES_TO, FailureCode.ACCOUNT_ENDED, at, addresses)


def _finished(delivery: Delivery, result: Ended | TryAgain, at: datetime) -> tuple[Any, ...]:
    leased = (delivery.delivery_id, delivery.attempts)
    if isinstance(result, Ended):
        return *leased, result.status, None, result.provider_message_id, result.failure_code, at
    return *leased, DeliveryStatus.PENDING, result.at, "", result.failure_code, None


def _delivery(row: asyncpg.Record) -> Delivery:
    return object_of(
        Delivery,
        row,
        channel=Channel(row["channel"]),
        priority=Priority(row["priority"]),
        params=_object(row["params"]),
        payload=_object(row["payload"]),
    )


def _object(value: Any) -> dict[str, Any] | None:
    """Raises ``ValueError`` or ``TypeError`` where a row holds another kind of JSON."""
    return None if value is None else dict(value)
