"""Background work: one sender per lane, so that a code waits for no receipt and no other channel; and the clean-up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

import structlog

from kernel.steps import Steps
from kernel.tasks import beside
from notification.adapters import metrics, notification_reads
from notification.adapters.watched_gateway import WatchedGateway
from notification.domain.notification import Channel
from notification.entrypoints.jobs.lane import Lane
from notification.wiring import App
from operations import in_halves

log = structlog.get_logger()

POLL_URGENT_S, POLL_S = 1.0, 2.0  # what this process queues rings; this finds retries and what others queued
STEP_S = 180.0  # more than the database takes to lease and to record, and than a process has to drain
GATHER_S = 0.25  # receipts are in no hurry: those of a quarter second share two transactions
KEEP_DELIVERIES_DAYS = 30
CLEAN_ROWS = 5_000

_OLD_NOTIFICATIONS = "SELECT user_id, notification_id FROM notification WHERE expires_at < now() LIMIT $1"
# Told at the very moment of the end, in a transaction that saw the person alive.
_OF_ENDED_ACCOUNTS = """
SELECT user_id, notification_id FROM notification JOIN recipient USING (user_id)
WHERE erased_at > now() - interval '7 days' LIMIT $1"""
_OLD_DELIVERIES = """
SELECT delivery_id FROM delivery
WHERE status <> 'pending' AND ended_at < now() - make_interval(days => $1) LIMIT $2"""


class Sender:
    """Sends the deliveries of one lane as they fall due; looks now and then, and at once after a local commit."""

    def __init__(self, app: App, gateway: WatchedGateway, *, urgent: bool) -> None:
        self.name = f"send-{gateway.channel}-{'urgent' if urgent else 'normal'}"
        self._urgent = urgent
        self._lane = Lane(app.begin, gateway, app.clock, urgent=urgent)
        self._bell = app.doorbell.subscribe()
        self._problem: str | None = None
        self.steps = Steps(STEP_S)

    def problem(self) -> str | None:
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        try:
            async with beside(self._ring_on(stop)):
                while not stop.is_set():
                    self._bell.clear()
                    with self.steps.step():
                        await self._take_up()
                    await self._lane.wait(self._bell, timeout_s=POLL_URGENT_S if self._urgent else POLL_S)
                    if not self._urgent and not self._lane.under_way:
                        await asyncio.sleep(GATHER_S)
                    with self.steps.step():
                        await self._lane.record_ended()
            with self.steps.step():
                await self._lane.finish()
        finally:
            await self._lane.stop()

    async def _take_up(self) -> None:
        try:
            await self._lane.take_up()
        except Exception as error:
            self._problem = f"sending failed: {type(error).__name__}"
            log.exception("delivery.failed", lane=self.name)
            return
        self._problem = None

    async def _ring_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._bell.set()


class ChannelWatch:
    """Tells readiness of channels that are down: degraded, as requests are answered and deliveries wait."""

    name = "channels"
    critical = False

    def __init__(self, gateways: Mapping[Channel, WatchedGateway]) -> None:
        self._gateways = gateways

    def problem(self) -> str | None:
        problems = {channel: gateway.problem() for channel, gateway in self._gateways.items()}
        return "; ".join(f"{channel}: {problem}" for channel, problem in problems.items() if problem) or None

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()


async def observe(app: App) -> None:
    """Set the gauges of deliveries."""
    async with app.database.read() as conn:
        rows = await notification_reads.count_deliveries(conn)
        oldest = await notification_reads.oldest_pending(conn)
    metrics.DELIVERIES.clear()
    for row in rows:
        metrics.DELIVERIES.labels(row["channel"], row["status"], row["failure_code"]).set(row["count"])
    metrics.OLDEST_S.clear()
    for row in oldest:
        metrics.OLDEST_S.labels(row["channel"], row["lane"]).set(row["seconds"])


async def erase_expired(app: App) -> None:
    """Delete notifications past their lifetime or of people whose account ended, and deliveries that ended long ago.

    In bounded steps; a row that cannot be deleted stays, and the others go.
    """
    async with app.database.read() as conn:
        old = await conn.fetch(_OLD_NOTIFICATIONS, CLEAN_ROWS)
        ended = await conn.fetch(_OF_ENDED_ACCOUNTS, CLEAN_ROWS)
        deliveries = await conn.fetch(_OLD_DELIVERIES, KEEP_DELIVERIES_DAYS, CLEAN_ROWS)
    notifications = [(row["user_id"], row["notification_id"]) for row in (*old, *ended)]
    await in_halves(notifications, partial(_delete_notifications, app))
    await in_halves([row["delivery_id"] for row in deliveries], partial(_delete_deliveries, app))


async def _delete_notifications(app: App, keys: Sequence[tuple[UUID, UUID]]) -> int:
    async with app.database.begin() as conn:
        await conn.execute(
            """
            DELETE FROM notification
            WHERE (user_id, notification_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
            """,
            [user_id for user_id, _ in keys],
            [notification_id for _, notification_id in keys],
        )
    return len(keys)


async def _delete_deliveries(app: App, ids: Sequence[UUID]) -> int:
    async with app.database.begin() as conn:
        await conn.execute("DELETE FROM delivery WHERE delivery_id = ANY($1)", ids)
    return len(ids)
