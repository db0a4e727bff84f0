"""Group commit: what callers submit while one batch commits is the next batch.

One flusher is one ledger partition with a connection of its own. It takes what is there without lingering, applies
it in one transaction, and resolves its callers after the commit. One transaction per transfer made 2-3 thousand a
second on two cores where batches make more than ten thousand (bench/ledger.py), which is why this leaves the usual
``tx`` shape.

A caller that gives up does not take its operation back: the batch goes on. Operations carry their own ids, so a
batch whose commit was cut off is simply applied again and finds what it did. An operation the database cannot take
is found by halving the batch, and fails alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter, Histogram

from chassis.outages import NotReadyError, is_connection_lost
from chassis.postgres import Connection
from eventing import Outbox, OutboxConfig, Wakeups
from kernel.clock import Clock
from kernel.steps import Steps
from kernel.tasks import beside
from payment.adapters.events import Events
from payment.adapters.ledger_store import LedgerStore
from payment.domain.ledger import Transfer
from payment.domain.outcome import Answer, LedgerBusyError, Outcome, RequestInFlightError

BATCH_MAX: Final = 1_000
QUEUE_MAX: Final = 20_000
_RETRIES_MAX: Final = 5
_RECONNECT_S: Final = 0.2
_BATCH_S: Final = 60.0
_AGAIN: Final = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
    asyncpg.LockNotAvailableError,
)
ISOLATED: Final = Counter("payment_ledger_isolated_operations", "Operations the database could not take, failed alone")
BATCH_SIZE: Final = Histogram(
    "payment_ledger_batch_operations",
    "Operations in one group commit",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
COMMIT_S: Final = Histogram(
    "payment_ledger_commit_seconds",
    "One group commit, from call to answer",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0),
)
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Submitted:
    op: Transfer
    answer: asyncio.Future[Answer]
    until_s: float
    # Records carry the flow and trace of the caller, not of the flusher.
    context: Context = field(default_factory=copy_context)


class Flusher:
    """Takes operations from many callers, applies them in batches. Runs as one of the service's runners."""

    def __init__(
        self,
        *,
        name: str,
        connect: Callable[[], AbstractAsyncContextManager[Connection]],
        ledger: LedgerStore,
        outbox_config: OutboxConfig,
        wakeups: Wakeups | None,
        clock: Clock,
        batch_max: int = BATCH_MAX,
        answer_timeout_s: float = 10.0,
    ) -> None:
        self.name = name
        self._connect = connect
        self._ledger = ledger
        self._outbox_config = outbox_config
        self._wakeups = wakeups
        self._clock = clock
        self._batch_max = batch_max
        self._answer_timeout_s = answer_timeout_s
        self._queue: deque[_Submitted] = deque()
        # In the order of their deadlines, because all wait equally long.
        self._in_flight: dict[UUID, _Submitted] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._problem: str | None = None
        self.batches = 0
        self.steps = Steps(_BATCH_S)

    async def submit(self, op: Transfer) -> Answer:
        """Apply one operation; returns its answer once that is committed.

        Raises ``RequestInFlightError`` while the same id is under way here, and ``LedgerBusyError`` when the outcome
        cannot be told: submitting the same operation again tells it.
        """
        if op.op_id in self._in_flight:
            raise RequestInFlightError
        if self._stopping or len(self._queue) >= QUEUE_MAX:
            raise LedgerBusyError(retry_after_s=1.0)
        loop = asyncio.get_running_loop()
        submitted = _Submitted(op, loop.create_future(), loop.time() + self._answer_timeout_s)
        self._in_flight[op.op_id] = submitted
        self._queue.append(submitted)
        self._wake.set()
        return await submitted.answer

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then finish what was submitted."""
        pending: list[_Submitted] = []
        try:
            async with beside(self._stop_when(stop)), beside(self._sweep()):
                await self._apply_until_stopped(pending)
        finally:
            self._problem = "it stands still"  # until it runs again
            self._give_up(pending)

    async def _apply_until_stopped(self, pending: list[_Submitted]) -> None:
        while not (self._stopping and not self._queue and not pending):
            try:
                async with self._connect() as conn:
                    if not pending:  # else only its commit shows that the connection is of use
                        self._problem = None
                    await self._work(conn, pending)
            except Exception as error:  # noqa: BLE001 -- no way of failing to connect may end the flusher
                self._problem = _problem_of(error)
                log.warning("flusher.reconnects", flusher=self.name, error=str(error))
                if self._stopping:
                    self._give_up(pending)
                await asyncio.sleep(_RECONNECT_S)

    def problem(self) -> str | None:
        """Why this is not healthy, or None."""
        return self._problem

    async def _work(self, conn: Connection, pending: list[_Submitted]) -> None:
        """Batches until stopped. ``pending`` outlives a lost connection: its outcome is unknown, so it is redone."""
        while True:
            if not pending:
                await self._take(pending)
            if not pending:
                return
            with self.steps.step():
                await self._apply(conn, pending)
            pending.clear()
            self._problem = None

    async def _take(self, pending: list[_Submitted]) -> None:
        # Callers that were just answered, and are ready to run, may submit again first: one turn, not a wait.
        await asyncio.sleep(0)
        while not self._queue:
            if self._stopping:
                return
            self._wake.clear()
            await self._wake.wait()
        while self._queue and len(pending) < self._batch_max:
            pending.append(self._queue.popleft())

    async def _apply(self, conn: Connection, batch: Sequence[_Submitted]) -> None:
        """Commit and resolve; on an operation the database cannot take, find it by halves."""
        try:
            answers = await self._commit_with_retries(conn, batch)
        except Exception as error:
            if is_connection_lost(error):
                raise
            # Whatever else it is, it must fail one caller and not the batch.
            if len(batch) == 1:
                ISOLATED.inc()
                op_id = str(batch[0].op.op_id)
                log.warning("flusher.operation_isolated", flusher=self.name, op_id=op_id, error=str(error))
                self._resolve(batch[0], error)
                return
            middle = len(batch) // 2
            await self._apply(conn, batch[:middle])
            await self._apply(conn, batch[middle:])
            return
        for submitted, answer in zip(batch, answers, strict=True):
            self._resolve(submitted, answer)

    async def _commit_with_retries(self, conn: Connection, batch: Sequence[_Submitted]) -> list[Answer]:
        for attempt in range(_RETRIES_MAX):
            try:
                return await self._commit(conn, batch)
            except _AGAIN as error:
                log.info("flusher.retries", flusher=self.name, error=type(error).__name__)
                await asyncio.sleep(0.01 * 2**attempt)
        return await self._commit(conn, batch)

    async def _commit(self, conn: Connection, batch: Sequence[_Submitted]) -> list[Answer]:
        now = self._clock.now()
        outbox = Outbox(conn, self._outbox_config, self._wakeups)
        events, done = Events(outbox, now), Answer(Outcome.DONE, 1, now, None)
        for submitted in batch:
            submitted.context.run(events.operation_done, submitted.op, done)
        ops = [submitted.op for submitted in batch]
        with COMMIT_S.time():
            answers = await self._ledger.commit(conn, ops, outbox.take(), now=now)
        BATCH_SIZE.observe(len(batch))
        outbox.committed()
        self.batches += 1
        return answers

    def _resolve(self, submitted: _Submitted, result: Answer | Exception) -> None:
        self._in_flight.pop(submitted.op.op_id, None)
        if submitted.answer.done():
            return
        if isinstance(result, Exception):
            submitted.answer.set_exception(result)
        else:
            submitted.answer.set_result(result)

    def _give_up(self, pending: list[_Submitted]) -> None:
        for submitted in [*pending, *self._queue]:
            self._resolve(submitted, LedgerBusyError(retry_after_s=1.0))
        pending.clear()
        self._queue.clear()

    async def _sweep(self) -> None:
        """Tell callers whose answer is late that it is unknown; their operations stay where they are."""
        loop = asyncio.get_running_loop()
        while True:
            now_s = loop.time()
            next_s = now_s + self._answer_timeout_s  # what is submitted after this look waits at least as long
            for submitted in self._in_flight.values():
                if submitted.until_s > now_s:
                    next_s = submitted.until_s
                    break
                if not submitted.answer.done():
                    submitted.answer.set_exception(LedgerBusyError(retry_after_s=1.0))
            await asyncio.sleep(next_s - now_s)

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stopping = True
        self._wake.set()


class Flushers:
    """Routes each operation to the flusher of its sender, so that one sender's operations stay in order."""

    def __init__(self, flushers: Sequence[Flusher]) -> None:
        self.all = tuple(flushers)

    async def submit(self, op: Transfer) -> Answer:
        """See ``Flusher.submit``."""
        return await self.all[op.sender_wallet_id.int % len(self.all)].submit(op)

    async def check(self) -> None:
        """Raises ``NotReadyError`` when a flusher that should run cannot commit."""
        for flusher in self.all:
            problem = flusher.problem()
            if problem is not None:
                raise NotReadyError(problem)


def _problem_of(error: Exception) -> str:
    """For whoever operates the process."""
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return "the database is read-only"
    return f"no database connection: {type(error).__name__}"
