"""One transaction of payment: the stores, the ledger and the outbox on one connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chassis.postgres import Connection
from eventing import Outbox
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

    def __init__(self, conn: Connection, ledger: LedgerStore, events: Events, now: datetime) -> None:
        self._conn, self._ledger, self._events, self._now = conn, ledger, events, now
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
        return await self._ledger.execute(self._conn, ops, now=self._now)


@dataclass(slots=True)
class PaymentTx:
    """Built by ``App.begin``; commits at the end of that block and nowhere else. ``now`` is when it began."""

    conn: Connection
    outbox: Outbox
    now: datetime
    ledger_store: LedgerStore
    events: Events = field(init=False)
    wallets: WalletStore = field(init=False)
    top_ups: TopUpStore = field(init=False)
    holds: HoldStore = field(init=False)
    reviews: ReviewStore = field(init=False)
    job_failures: JobFailureStore = field(init=False)
    ledger: LedgerInTransaction = field(init=False)

    def __post_init__(self) -> None:
        self.events = Events(self.outbox, self.now)
        self.wallets = WalletStore(self.conn)
        self.top_ups = TopUpStore(self.conn)
        self.holds = HoldStore(self.conn)
        self.reviews = ReviewStore(self.conn)
        self.job_failures = JobFailureStore(self.conn)
        self.ledger = LedgerInTransaction(self.conn, self.ledger_store, self.events, self.now)
