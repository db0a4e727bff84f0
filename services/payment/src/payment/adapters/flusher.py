"""Transfers of HTTP callers, group-committed (``chassis.group_commit``): one transaction a batch.

One transaction per transfer made 2-3 thousand a second on two cores where batches make more than ten thousand
(bench/ledger.py). Each partition has a connection of its own. Transfers carry their own ids, so a batch whose commit
was cut off is simply applied again and finds what it did.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Final, Protocol

import asyncpg
from prometheus_client import Counter

from chassis.group_commit import ANSWER_S, GroupCommit, GroupCommitMetrics, Submitted
from chassis.outages import NotReadyError
from chassis.postgres import Connection
from chassis.writes import Write
from eventing import Outbox, OutboxConfig, Wakeups
from kernel.clock import Clock
from payment.adapters.account_reads import locked_among
from payment.adapters.events import Events
from payment.adapters.ledger_store import Also, LedgerStore
from payment.adapters.ledger_writes import records_of_transfers
from payment.adapters.transfer_store import swap
from payment.domain.ledger import Transfer
from payment.domain.outcome import Answer, LedgerBusyError, RequestInFlightError
from payment.domain.rules import accounts_named_by

BATCH_MAX: Final = 1_000
LOCK_FIRST: Final = 50
_LOCK_WAIT: Final = "SET lock_timeout = '300ms'"  # one locked wallet keeps everybody's transfers waiting
_METRICS: Final = GroupCommitMetrics("payment_ledger", "operations")
CHANGED_MEANWHILE: Final = Counter(
    "payment_ledger_changed_meanwhile", "Batches decided again under locks: a wallet changed, or an answer was known"
)


@asynccontextmanager
async def _impatient(connect: Callable[[], AbstractAsyncContextManager[Connection]]) -> AsyncIterator[Connection]:
    async with connect() as conn:
        await conn.execute(_LOCK_WAIT)
        try:
            yield conn
        finally:
            with suppress(asyncpg.InterfaceError, asyncpg.PostgresError, OSError):  # it may be cut
                await conn.execute("RESET lock_timeout")


class Swap(Protocol):
    """``payment.adapters.transfer_store.swap``."""

    async def __call__(
        self, conn: Connection, ops: Sequence[Transfer], /, *, now: datetime, also: Also
    ) -> Sequence[Answer] | None: ...


class Flusher:
    """``partitions`` are runners. One sender's transfers are always in the same one, so they stay in order."""

    def __init__(
        self,
        *,
        partitions: int,
        connect: Callable[[], AbstractAsyncContextManager[Connection]],
        ledger: LedgerStore,
        swap: Swap = swap,
        outbox_config: OutboxConfig,
        wakeups: Wakeups | None,
        clock: Clock,
        batch_max: int = BATCH_MAX,
        answer_timeout_s: float = ANSWER_S,
    ) -> None:
        self._ledger, self._swap, self._clock = ledger, swap, clock
        self._outbox_config, self._wakeups = outbox_config, wakeups
        self._lock_first = 0  # batches
        self.partitions: tuple[GroupCommit[Connection, Transfer, Answer], ...] = tuple(
            GroupCommit(
                f"ledger-{number}",
                self._commit,
                hold=partial(_impatient, connect),
                busy=LedgerBusyError,
                metrics=_METRICS,
                batch_max=batch_max,
                answer_timeout_s=answer_timeout_s,
            )
            for number in range(partitions)
        )

    async def submit(self, op: Transfer) -> Answer:
        """Apply one transfer; returns its answer once that is committed.

        Raises ``RequestInFlightError`` while the same id is under way here, and ``LedgerBusyError`` when the outcome
        cannot be told: submitting the same transfer again tells it.
        """
        partition = self.partitions[op.sender_wallet_id.int % len(self.partitions)]
        if partition.is_under_way(op.op_id):
            raise RequestInFlightError
        return await partition.submit(op, op.op_id)

    async def check(self) -> None:
        """Raises ``NotReadyError`` when a partition cannot commit."""
        for partition in self.partitions:
            problem = partition.problem()
            if problem is not None:
                raise NotReadyError(problem)

    async def _commit(
        self, conn: Connection, batch: Sequence[Submitted[Transfer, Answer]]
    ) -> Sequence[Answer | LedgerBusyError]:
        """Transfers of wallets that somebody keeps locked are busy, and nothing of them is done."""
        try:
            return await self._decide(conn, batch)
        except asyncpg.LockNotAvailableError:
            locked = await locked_among(conn, [each.item for each in batch])
            if not locked:
                raise
        busy, free = LedgerBusyError(retry_after_s=1.0), []
        answers: list[Answer | LedgerBusyError] = [busy] * len(batch)
        for place, each in enumerate(batch):
            if locked.isdisjoint(accounts_named_by(each.item)):
                free.append(place)
        if free:
            decided = await self._commit(conn, [batch[place] for place in free])
            for place, answer in zip(free, decided, strict=True):
                answers[place] = answer
        return answers

    async def _decide(self, conn: Connection, batch: Sequence[Submitted[Transfer, Answer]]) -> Sequence[Answer]:
        """Without locks, unless somebody else changes the same wallets these days."""
        now = self._clock.now()
        if self._lock_first:
            self._lock_first -= 1
            return await self._locked(conn, batch, now)
        answers = await self._swapped(conn, batch, now)
        if answers is None:
            CHANGED_MEANWHILE.inc()
            answers = await self._locked(conn, batch, now)
            if not any(answer.given_before for answer in answers):
                self._lock_first = LOCK_FIRST
        return answers

    async def _locked(
        self, conn: Connection, batch: Sequence[Submitted[Transfer, Answer]], now: datetime
    ) -> Sequence[Answer]:
        outbox = self._outbox(conn)
        async with conn.transaction():
            records = partial(self._records, batch, outbox)
            answers = await self._ledger.execute(conn, [each.item for each in batch], now=now, also=records)
        outbox.committed()
        return answers

    async def _swapped(
        self, conn: Connection, batch: Sequence[Submitted[Transfer, Answer]], now: datetime
    ) -> Sequence[Answer] | None:
        outbox = self._outbox(conn)
        records = partial(self._records, batch, outbox)
        answers = await self._swap(conn, [each.item for each in batch], now=now, also=records)
        if answers is not None:
            outbox.committed()
        return answers

    def _outbox(self, conn: Connection) -> Outbox:
        return Outbox(conn, self._outbox_config, self._wakeups)

    def _records(
        self, batch: Sequence[Submitted[Transfer, Answer]], outbox: Outbox, answers: Sequence[Answer]
    ) -> Iterable[Write]:
        events = Events(outbox, self._clock)
        for submitted, answer in zip(batch, answers, strict=True):
            submitted.context.run(events.operation_done, submitted.item, answer)
        return records_of_transfers(outbox.take())
