"""The timers: wakes due sagas, in as many processes as there are. What one leaves locked, another skips.

Invariants: a saga that is due is woken within ``poll_s`` of any living process, whoever died holding it, and on time
where its timer was set before the last look. One that cannot be read or moved holds up no other: it is tried again
every ``POSTPONED_S``, and shows as one that needs an operator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import asyncpg
import structlog

from chassis.run import Repeating
from eventing.failures import Failure, classify
from kernel.backoff import BackoffPolicy
from operations import in_halves
from orchestrator.adapters import metrics
from orchestrator.adapters.saga_store import due_ids, next_due_at, postpone
from orchestrator.domain.ids import SagaId
from orchestrator.usecases.wake_due_sagas import WakeDueSagas, wake_due_sagas
from orchestrator.wiring import App

log = structlog.get_logger(__name__)

POSTPONED_S: Final = 300.0


class Timers(Repeating):
    """A runner of the role ``jobs``: sweeps until nothing is left to wake, then waits for the next timer or poll."""

    name = "timers"
    critical = True
    failing = "timers fail"

    def __init__(self, app: App, *, poll_s: float, batch: int = 200) -> None:
        super().__init__()
        self._app = app
        self.again = BackoffPolicy.constant(poll_s)
        self._poll_s = poll_s
        self._batch = batch

    async def step(self) -> float:
        """Wake a batch when one is due. Returns how long to pause: not at all while there may be more."""
        due_in_s = await self.due_in_s()
        more = due_in_s <= 0 and await self.sweep() > 0
        if more:
            return 0.0
        return min(self._poll_s, due_in_s) if due_in_s > 0 else self._poll_s

    async def due_in_s(self) -> float:
        """Seconds until the next timer; infinity when there is none."""
        async with self._app.database.read() as conn:
            due_at = await next_due_at(conn)
        return math.inf if due_at is None else (due_at - self._app.clock.now()).total_seconds()

    async def sweep(self) -> int:
        """One batch, one transaction; in halves where one of its sagas cannot be moved. Returns how many were due."""
        try:
            return await self._wake(None)
        except Exception as error:
            if classify(error) is Failure.OUTAGE:
                raise
            log.warning("timers.batch_failed", error=type(error).__name__, exc_info=True)
        now = self._app.clock.now()
        async with self._app.database.read() as conn:
            due = await due_ids(conn, now, self._app.registry.known, self._batch)
        return await in_halves(due, self._wake, at_fault=partial(self._postpone, now))

    async def _wake(self, only: Sequence[SagaId] | None) -> int:
        async with self._app.begin() as tx:
            command = WakeDueSagas(limit=self._batch, only=only)
            woken, ignored = await wake_due_sagas(command, tx, self._app.registry)
        metrics.count_ignored(ignored)
        return woken

    async def _postpone(self, now: datetime, saga_id: SagaId, error: Exception) -> None:
        if classify(error).transient:
            return
        log.error("timers.saga_failed", saga_id=str(saga_id), error=type(error).__name__, exc_info=error)
        try:
            async with self._app.database.begin() as conn:
                await postpone(conn, saga_id, now + timedelta(seconds=POSTPONED_S))
        except asyncpg.PostgresError:
            log.exception("timers.saga_not_postponed", saga_id=str(saga_id))
