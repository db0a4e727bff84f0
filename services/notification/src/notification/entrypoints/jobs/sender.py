"""Sends the deliveries of one lane as they fall due: a code waits for no receipt and no other channel."""

from __future__ import annotations

import asyncio

import structlog

from kernel.steps import Steps
from notification.adapters.watched_gateway import WatchedGateway
from notification.entrypoints.jobs.lane import Lane
from notification.wiring import App

log = structlog.get_logger(__name__)

POLL_URGENT_S, POLL_S = 1.0, 2.0  # what this process queues wakes it; this finds retries and what others queued
STEP_S = 180.0  # more than the database takes to lease and to record, and than a process has to drain
GATHER_S = 0.25  # receipts are in no hurry: those of a quarter second share two transactions


class Sender:
    """Looks now and then, and at once after a local commit."""

    def __init__(self, app: App, gateway: WatchedGateway, *, urgent: bool) -> None:
        self.name = f"send-{gateway.channel}-{'urgent' if urgent else 'normal'}"
        self._urgent = urgent
        self._lane = Lane(app.begin, gateway, app.clock, urgent=urgent)
        self._notifier = app.notifier.subscribe()
        self._problem: str | None = None
        self.steps = Steps(STEP_S)

    def problem(self) -> str | None:
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        try:
            async with self._notifier.notified_by(stop):
                while not stop.is_set():
                    self._notifier.clear()
                    with self.steps.step():
                        await self._take_up()
                    await self._lane.wait(self._notifier, timeout_s=POLL_URGENT_S if self._urgent else POLL_S)
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
            log.warning("lane.take_up_failed", lane=self.name, exc_info=True)  # what is due is due at the next look
            return
        self._problem = None
