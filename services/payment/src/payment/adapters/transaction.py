"""One transaction of payment: the stores, the ledger and the outbox on one connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eventing import Outbox
from kernel.clock import Clock
from payment.adapters.announcements import announce
from payment.adapters.holds import PgHoldStore
from payment.adapters.job_failures import PgJobFailureStore
from payment.adapters.ledger import Connection, Ledger
from payment.adapters.reviews import PgReviewStore
from payment.adapters.top_ups import PgTopUpStore
from payment.adapters.wallets import PgWalletStore
from payment.domain.ledger import Answer, Op


class LedgerInTransaction:
    """The ledger, announcing what it did in the same transaction."""

    def __init__(self, conn: Connection, ledger: Ledger, outbox: Outbox, clock: Clock) -> None:
        self._conn, self._ledger, self._outbox, self._clock = conn, ledger, outbox, clock
        self._used = False

    async def apply(self, ops: Sequence[Op]) -> list[Answer]:
        """At most once per transaction: a second call would take locks out of order."""
        answers = await self.apply_quietly(ops)
        for op, answer in zip(ops, answers, strict=True):
            announce(self._outbox, op, answer)
        return answers

    async def apply_quietly(self, ops: Sequence[Op]) -> list[Answer]:
        """As ``apply``; the caller announces, each record in its own flow."""
        if self._used:
            raise RuntimeError("the ledger is called once per transaction")
        self._used = True
        return await self._ledger.execute(self._conn, ops, now=self._clock.now())


@dataclass(slots=True)
class PgPaymentTx:
    """Built by ``App.begin``; commits at the end of that block and nowhere else."""

    conn: Connection
    outbox: Outbox
    clock: Clock
    posts_to: Ledger
    wallets: PgWalletStore = field(init=False)
    top_ups: PgTopUpStore = field(init=False)
    holds: PgHoldStore = field(init=False)
    reviews: PgReviewStore = field(init=False)
    job_failures: PgJobFailureStore = field(init=False)
    ledger: LedgerInTransaction = field(init=False)

    def __post_init__(self) -> None:
        self.wallets = PgWalletStore(self.conn)
        self.top_ups = PgTopUpStore(self.conn)
        self.holds = PgHoldStore(self.conn)
        self.reviews = PgReviewStore(self.conn)
        self.job_failures = PgJobFailureStore(self.conn)
        self.ledger = LedgerInTransaction(self.conn, self.posts_to, self.outbox, self.clock)
