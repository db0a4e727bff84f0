"""Transfers of HTTP callers, group-committed (``chassis.group_commit``): one transaction a batch.

One transaction per transfer made 2-3 thousand a second on two cores where batches make more than ten thousand
(bench/ledger.py). Each partition has a connection of its own. Transfers carry their own ids, so a batch whose commit
was cut off is simply applied again and finds what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from chassis.group_commit import ANSWER_S, GroupCommit, GroupCommitMetrics, Submitted
from chassis.outages import NotReadyError
from chassis.postgres import Connection
from chassis.writes import Write
from eventing import Outbox, OutboxConfig, Wakeups
from kernel.clock import Clock
from payment.adapters.events import Events
from payment.adapters.ledger_store import LedgerStore
from payment.adapters.ledger_writes import records_of_transfers
from payment.domain.ledger import Transfer
from payment.domain.outcome import Answer, LedgerBusyError, RequestInFlightError

BATCH_MAX: Final = 1_000
_METRICS: Final = GroupCommitMetrics("payment_ledger", "operations")


class Flusher:
    """``partitions`` are runners. One sender's transfers are always in the same one, so they stay in order."""

    def __init__(
        self,
        *,
        partitions: int,
        connect: Callable[[], AbstractAsyncContextManager[Connection]],
        ledger: LedgerStore,
        outbox_config: OutboxConfig,
        wakeups: Wakeups | None,
        clock: Clock,
        batch_max: int = BATCH_MAX,
        answer_timeout_s: float = ANSWER_S,
    ) -> None:
        self._ledger, self._outbox_config, self._wakeups, self._clock = ledger, outbox_config, wakeups, clock
        self.partitions: tuple[GroupCommit[Connection, Transfer, Answer], ...] = tuple(
            GroupCommit(
                f"ledger-{number}",
                self._commit,
                hold=connect,
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

    async def _commit(self, conn: Connection, batch: Sequence[Submitted[Transfer, Answer]]) -> Sequence[Answer]:
        now = self._clock.now()
        outbox = Outbox(conn, self._outbox_config, self._wakeups)
        events = Events(outbox, now)

        def records(answers: Sequence[Answer]) -> Iterable[Write]:
            for submitted, answer in zip(batch, answers, strict=True):
                submitted.context.run(events.operation_done, submitted.item, answer)
            return records_of_transfers(outbox.take())

        async with conn.transaction():
            answers = await self._ledger.execute(conn, [each.item for each in batch], now=now, also=records)
        outbox.committed()
        return answers
