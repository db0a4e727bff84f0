"""One transaction of payment: the stores, the ledger and the outbox on one connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.postgres import Connection
from eventing import Outbox
from kernel.clock import Clock
from payment.adapters.events import Events
from payment.adapters.hold_store import HoldStore
from payment.adapters.job_failure_store import JobFailureStore
from payment.adapters.ledger_store import LedgerStore
from payment.adapters.review_store import ReviewStore
from payment.adapters.top_up_store import TopUpStore
from payment.adapters.wallet_store import WalletStore
from payment.domain.ledger import Op
from payment.domain.outcome import Answer


class LedgerInTransaction:
    """The ledger, with the events of what it did in the same transaction."""

    def __init__(self, conn: Connection, ledger: LedgerStore, events: Events, clock: Clock) -> None:
        self._conn, self._ledger, self._events, self._clock = conn, ledger, events, clock
        self._used = False

    async def apply(self, ops: Sequence[Op]) -> list[Answer]:
        """At most once per transaction: a second call would take locks out of order."""
        answers = await self.apply_without_events(ops)
        for op, answer in zip(ops, answers, strict=True):
            self._events.operation_done(op, answer)
        return answers

    async def apply_without_events(self, ops: Sequence[Op]) -> list[Answer]:
        """As ``apply``; the caller writes the events, each in its own flow."""
        if self._used:
            raise RuntimeError("the ledger is called once per transaction")
        self._used = True
        return await self._ledger.execute(self._conn, ops, now=self._clock.now())


class PaymentTx:
    """Built by ``App.begin``; commits at the end of that block and nowhere else."""

    def __init__(self, conn: Connection, outbox: Outbox, clock: Clock, ledger: LedgerStore) -> None:
        self.conn, self.outbox, self._clock = conn, outbox, clock
        self.events = Events(outbox, clock)
        self.wallets = WalletStore(conn)
        self.top_ups = TopUpStore(conn)
        self.holds = HoldStore(conn)
        self.reviews = ReviewStore(conn)
        self.job_failures = JobFailureStore(conn)
        self.ledger = LedgerInTransaction(conn, ledger, self.events, clock)

    @property
    def now(self) -> datetime:
        """At each use: whoever waited for a lock decides by the time after it."""
        return self._clock.now()
