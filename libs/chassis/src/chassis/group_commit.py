"""Group commit: what callers submit while one batch commits is the next batch.

One writer takes what waits, without lingering and up to a bound, commits it in one transaction, and gives each caller
the result of its own item. A transaction an item makes hundreds to a few thousands a second, batches make more than ten
thousand: that is why this leaves the usual ``tx`` shape.

Items must be safe to commit twice: where a connection breaks during a commit, the same batch is committed again on the
next one. Whoever cancels takes nothing back. Whoever was told that the outcome is unknown will ask again, so what is
not begun by then is begun no more. An item that the database cannot take, or that waits for a lock in vain, is found by
halving, and fails alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import asyncpg
import structlog
from prometheus_client import Counter, Histogram

from chassis.outages import is_connection_lost
from kernel.errors import DomainError
from kernel.steps import Steps
from kernel.tasks import beside

HeldT = TypeVar("HeldT")
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

QUEUE_MAX: Final = 20_000
ANSWER_S: Final = 10.0
COMMIT_S: Final = 60.0
_RECONNECT_S: Final = 0.2
_ASK_AGAIN_S: Final = 1.0
_RETRIES_MAX: Final = 5
_CONTENTION: Final = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
)
log = structlog.get_logger(__name__)


class GroupCommitMetrics:
    """``<name>_batch_<items>``, ``<name>_commit_seconds`` and ``<name>_isolated_<items>``, of all writers of a kind."""

    def __init__(self, name: str, items: str) -> None:
        self.batch_size = Histogram(
            f"{name}_batch_{items}",
            f"How many {items} one group commit had",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
        )
        self.commit_s = Histogram(
            f"{name}_commit_seconds",
            "One group commit, from call to answer",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0),
        )
        self.isolated = Counter(
            f"{name}_isolated_{items}", f"How many {items} the database could not take, failed alone"
        )


@dataclass(slots=True, eq=False)
class Submitted(Generic[ItemT, ResultT]):
    """An item and its caller. ``context`` is the caller's, for records that carry its flow and trace."""

    item: ItemT
    key: Hashable
    until_s: float
    answer: asyncio.Future[ResultT]
    context: Context = field(default_factory=copy_context)


Commit = Callable[[HeldT, Sequence[Submitted[ItemT, ResultT]]], Awaitable[Sequence[ResultT | DomainError]]]


class GroupCommit(Generic[HeldT, ItemT, ResultT]):
    """One queue in the order of submission, one batch at a time. A runner.

    ``commit`` commits a batch and gives each item's result, or its refusal, in order. What it works on is opened by
    ``hold`` and kept until it is lost: a connection, or None where ``commit`` opens its own. ``busy`` is what callers
    get when the queue is full, the writer stops, or no answer came within ``answer_timeout_s``.
    """

    def __init__(
        self,
        name: str,
        commit: Commit[HeldT, ItemT, ResultT],
        *,
        hold: Callable[[], AbstractAsyncContextManager[HeldT]],
        busy: type[DomainError],
        metrics: GroupCommitMetrics,
        batch_max: int,
        queue_max: int = QUEUE_MAX,
        answer_timeout_s: float = ANSWER_S,
    ) -> None:
        self.name = name
        self._commit, self._hold, self._busy, self._metrics = commit, hold, busy, metrics
        self._batch_max, self._queue_max, self._answer_timeout_s = batch_max, queue_max, answer_timeout_s
        self._queue: deque[Submitted[ItemT, ResultT]] = deque()
        # In the order of their deadlines, because all wait equally long.
        self._under_way: dict[Hashable, Submitted[ItemT, ResultT]] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._problem: str | None = None
        self.batches = 0
        self.steps = Steps(COMMIT_S)

    def is_under_way(self, key: Hashable) -> bool:
        """Whether an item with this key was submitted and has no outcome yet, whatever its caller was told."""
        return key in self._under_way

    async def submit(self, item: ItemT, key: Hashable | None = None) -> ResultT:
        """The result, once it is committed. Raises the refusal, what the database made of this item, or ``busy`` when
        the outcome cannot be told. ``key`` is of no other item that is under way.
        """
        if self._stopping or len(self._queue) >= self._queue_max:
            raise self._busy(retry_after_s=_ASK_AGAIN_S)
        loop = asyncio.get_running_loop()
        until_s, answer = loop.time() + self._answer_timeout_s, loop.create_future()
        submitted: Submitted[ItemT, ResultT] = Submitted(item, object() if key is None else key, until_s, answer)
        self._under_way[submitted.key] = submitted
        self._queue.append(submitted)
        self._wake.set()
        return await submitted.answer

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then finish what was submitted."""
        batch: list[Submitted[ItemT, ResultT]] = []
        self._problem = None
        try:
            async with beside(self._stop_when(stop)), beside(self._answer_late_callers()):
                await self._work_until_stopped(batch)
        finally:
            self._problem = "it stands still"  # until it runs again
            self._give_up([*batch, *self._queue])
            self._queue.clear()

    def problem(self) -> str | None:
        """Why this cannot commit, or None."""
        return self._problem

    async def _work_until_stopped(self, batch: list[Submitted[ItemT, ResultT]]) -> None:
        """``batch`` outlives a lost connection: its outcome is unknown, so it is committed again."""
        while not (self._stopping and not self._queue and not batch):
            try:
                async with self._hold() as held:
                    if held is not None and not batch:  # else only a commit shows that the connection is of use
                        self._problem = None
                    await self._work(held, batch)
            except Exception as error:  # noqa: BLE001 -- no way of failing to connect may end the writer
                self._problem = _problem_of(error)
                log.warning("group_commit.reconnects", writer=self.name, error=str(error))
                if self._stopping:
                    self._give_up(batch)
                    batch.clear()
                await asyncio.sleep(_RECONNECT_S)
                batch[:] = [
                    each for each in batch if self._under_way.get(each.key) is each
                ]  # of halves one may be done
                self._drop_expired(batch)

    async def _work(self, held: HeldT, batch: list[Submitted[ItemT, ResultT]]) -> None:
        """Batches until stopped."""
        while batch or await self._take(batch):
            with self.steps.step():
                await self._apply(held, batch)
            batch.clear()
            self._problem = None

    async def _take(self, batch: list[Submitted[ItemT, ResultT]]) -> bool:
        """Wait for items and fill the batch; False when told to stop and nothing is left."""
        # Callers that were just answered, and are ready to run, may submit again first: one turn, not a wait.
        await asyncio.sleep(0)
        while not batch:
            while not self._queue:
                if self._stopping:
                    return False
                self._wake.clear()
                await self._wake.wait()
            while self._queue and len(batch) < self._batch_max:
                batch.append(self._queue.popleft())
            self._drop_expired(batch)
        return True

    async def _apply(self, held: HeldT, batch: Sequence[Submitted[ItemT, ResultT]]) -> None:
        """Commit and answer; an item that the database cannot take is found by halves."""
        try:
            results = await self._commit_despite_contention(held, batch)
        except Exception as error:
            if is_connection_lost(error):
                raise
            if len(batch) == 1:
                self._metrics.isolated.inc()
                log.warning("group_commit.isolated", writer=self.name, key=str(batch[0].key), error=str(error))
                self._resolve(batch[0], error)
                return
            middle = len(batch) // 2
            await self._apply(held, batch[:middle])
            await self._apply(held, batch[middle:])
            return
        for submitted, result in zip(batch, results, strict=True):
            self._resolve(submitted, result)

    async def _commit_despite_contention(
        self, held: HeldT, batch: Sequence[Submitted[ItemT, ResultT]]
    ) -> Sequence[ResultT | DomainError]:
        for attempt in range(_RETRIES_MAX):
            try:
                return await self._commit_once(held, batch)
            except _CONTENTION as error:
                log.info("group_commit.retries", writer=self.name, error=type(error).__name__)
                await asyncio.sleep(0.01 * 2**attempt)
        return await self._commit_once(held, batch)

    async def _commit_once(
        self, held: HeldT, batch: Sequence[Submitted[ItemT, ResultT]]
    ) -> Sequence[ResultT | DomainError]:
        with self._metrics.commit_s.time():
            results = await self._commit(held, batch)
        self._metrics.batch_size.observe(len(batch))
        self.batches += 1
        return results

    def _resolve(self, submitted: Submitted[ItemT, ResultT], result: ResultT | Exception) -> None:
        self._under_way.pop(submitted.key, None)
        if submitted.answer.done():
            return
        if isinstance(result, Exception):
            submitted.answer.set_exception(result)
        else:
            submitted.answer.set_result(result)

    def _give_up(self, given_up: Iterable[Submitted[ItemT, ResultT]]) -> None:
        for submitted in given_up:
            self._resolve(submitted, self._busy(retry_after_s=_ASK_AGAIN_S))

    def _drop_expired(self, batch: list[Submitted[ItemT, ResultT]]) -> None:
        now_s = asyncio.get_running_loop().time()
        if batch and batch[0].until_s <= now_s:  # the oldest is first
            self._give_up(submitted for submitted in batch if submitted.until_s <= now_s)
            batch[:] = [submitted for submitted in batch if submitted.until_s > now_s]

    async def _answer_late_callers(self) -> None:
        """Tell callers whose answer is late that it is unknown."""
        loop = asyncio.get_running_loop()
        while True:
            now_s = loop.time()
            next_s = now_s + self._answer_timeout_s  # what is submitted after this look waits at least as long
            for submitted in self._under_way.values():
                if submitted.until_s > now_s:
                    next_s = submitted.until_s
                    break
                if not submitted.answer.done():
                    submitted.answer.set_exception(self._busy(retry_after_s=_ASK_AGAIN_S))
            await asyncio.sleep(next_s - now_s)

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stopping = True
        self._wake.set()


def _problem_of(error: Exception) -> str:
    """For whoever operates the process."""
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return "the database is read-only"
    return f"no database connection: {type(error).__name__}"
