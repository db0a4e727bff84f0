"""Group commit: the sends that arrive while one batch commits are the next batch.

A transaction of its own for each message makes a few hundred messages a second of one dialog, whose row is locked
until the disk has answered; a batch makes thousands (bench/RESULTS.md). Every send has a ``client_message_id``, so a
batch whose outcome is unknown, because the connection broke during its commit, is simply done again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import asyncpg
import structlog
from prometheus_client import Histogram

from chassis.outages import is_connection_lost
from kernel.errors import DomainError, Kind
from kernel.steps import Steps
from kernel.tasks import beside

QUEUE_MAX: Final = 20_000
_RECONNECT_S: Final = 0.2
_PATIENCE_S: Final = 10.0  # without a database; then callers are told to send again
_BATCH_S: Final = 60.0
_RETRIES_MAX: Final = 5
_AGAIN: Final = (asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError, asyncpg.LockNotAvailableError)
BATCH: Final = Histogram(
    "messaging_send_batch_messages", "Messages in one group commit", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
COMMIT_S: Final = Histogram(
    "messaging_send_commit_seconds",
    "One group commit, from first statement to commit",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0),
)
log = structlog.get_logger(__name__)
CommandT = TypeVar("CommandT")
ResultT = TypeVar("ResultT")


class SendingBusyError(DomainError):
    """Whether it was stored cannot be told; the same request again tells it."""

    code = "messaging.message.busy"
    kind = Kind.UNAVAILABLE
    title = "Sending is busy; send the same message again"


@dataclass(slots=True)
class Submitted(Generic[CommandT, ResultT]):
    """A command, its caller, and the caller's context: records carry the caller's trace."""

    command: CommandT
    answer: asyncio.Future[ResultT]
    context: Context = field(default_factory=copy_context)


Commit = Callable[[Sequence[Submitted[CommandT, ResultT]]], Awaitable[Sequence[ResultT | DomainError]]]


class Lane(Generic[CommandT, ResultT]):
    """One queue, one batch at a time. ``commit`` gives for each command its result or its refusal."""

    def __init__(self, name: str, commit: Commit[CommandT, ResultT], *, batch_max: int) -> None:
        self.name = name
        self._commit = commit
        self._batch_max = batch_max
        self._queue: deque[Submitted[CommandT, ResultT]] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self._problem: str | None = None
        self.steps = Steps(_BATCH_S)

    async def submit(self, command: CommandT) -> ResultT:
        """The result once it is committed. Raises the refusal, or ``SendingBusyError``."""
        if self._stopping or len(self._queue) >= QUEUE_MAX:
            raise SendingBusyError(retry_after_s=1.0)
        submitted: Submitted[CommandT, ResultT] = Submitted(command, asyncio.get_running_loop().create_future())
        self._queue.append(submitted)
        self._wake.set()
        return await submitted.answer

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then finish what was submitted."""
        try:
            async with beside(self._stop_when(stop)):
                while not (self._stopping and not self._queue):
                    await self._wake.wait()
                    # Callers that were just answered and are ready to run may submit again first: a turn, not a wait.
                    await asyncio.sleep(0)
                    await self._take()
        finally:
            self._give_up(self._queue)
            self._queue.clear()

    async def _take(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), self._batch_max))]
        if not self._queue and not self._stopping:
            self._wake.clear()
        if not batch:
            return
        try:
            with self.steps.step():
                await self._apply(batch)
        finally:
            self._give_up(batch)  # nobody waits when it was applied

    def problem(self) -> str | None:
        """Why this is not healthy, or None."""
        return self._problem

    async def _apply(self, batch: Sequence[Submitted[CommandT, ResultT]]) -> None:
        try:
            with COMMIT_S.time():
                answers = await self._commit_with_retries(batch)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it must fail one caller and not the batch
            if len(batch) == 1 or is_connection_lost(error):
                log.warning("send_failed", lane=self.name, error=str(error), kind=type(error).__name__)
                self._give_up(batch)
                return
            middle = len(batch) // 2
            await self._apply(batch[:middle])
            await self._apply(batch[middle:])
            return
        BATCH.observe(len(batch))
        for submitted, answer in zip(batch, answers, strict=True):
            self._resolve(submitted, answer)

    async def _commit_with_retries(
        self, batch: Sequence[Submitted[CommandT, ResultT]]
    ) -> Sequence[ResultT | DomainError]:
        attempt, until_s = 0, time.monotonic() + _PATIENCE_S
        while True:
            try:
                answers = await self._commit(batch)
            except _AGAIN as error:
                attempt += 1
                if attempt > _RETRIES_MAX:
                    raise
                log.info("send_retried", lane=self.name, error=type(error).__name__)
                await asyncio.sleep(0.005 * 2**attempt)
            except Exception as error:
                if not is_connection_lost(error):
                    raise
                self._problem = f"no database connection: {type(error).__name__}"
                if self._stopping or time.monotonic() > until_s:
                    raise
                await asyncio.sleep(_RECONNECT_S)
            else:
                self._problem = None
                return answers

    def _give_up(self, submitted: Iterable[Submitted[CommandT, ResultT]]) -> None:
        """Whether it was stored cannot be told to those who still wait."""
        for each in submitted:
            self._resolve(each, SendingBusyError(retry_after_s=1.0))

    def _resolve(self, submitted: Submitted[CommandT, ResultT], result: ResultT | DomainError) -> None:
        if submitted.answer.done():
            return
        if isinstance(result, DomainError):
            submitted.answer.set_exception(result)
        else:
            submitted.answer.set_result(result)

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stopping = True
        self._wake.set()
