"""The timers: wakes due sagas, in as many processes as there are. What one leaves locked, another skips.

Invariant: a saga that is due is woken within ``poll_s`` of any living process, whoever died holding it.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from orchestrator.adapters import metrics
from orchestrator.usecases.wake_due_sagas import WakeDueSagas, wake_due_sagas
from orchestrator.wiring import App

log = structlog.get_logger(__name__)

_ANY_DUE = "SELECT EXISTS (SELECT FROM saga_execution WHERE next_wake_at <= $1)"


class Timers:
    """A runner of the role ``jobs``."""

    name = "timers"

    def __init__(self, app: App, *, poll_s: float, batch: int = 200) -> None:
        self._app = app
        self._poll_s = poll_s
        self._batch = batch
        self._failed: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``: sweep; go on at once after a full batch, else wait for the next poll."""
        while not stop.is_set():
            woken = 0
            try:
                woken = await self.sweep()
                self._failed = None
            except Exception as error:
                self._failed = type(error).__name__
                log.warning("timers.sweep_failed", error=self._failed, exc_info=True)
            if woken < self._batch:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._poll_s)

    async def sweep(self) -> int:
        """One batch, one transaction; none when a look says that nothing is due. Returns how many sagas were."""
        now = self._app.clock.now()
        async with self._app.database.read() as conn:
            if not await conn.fetchval(_ANY_DUE, now):
                return 0
        async with self._app.begin() as tx:
            command = WakeDueSagas(now=now, limit=self._batch)
            woken, ignored = await wake_due_sagas(command, tx, self._app.registry)
        for ignorance in ignored:
            metrics.IGNORED.labels(ignorance.saga_type, ignorance.reason).inc()
        return woken

    def problem(self) -> str | None:
        return f"timers fail: {self._failed}" if self._failed else None
