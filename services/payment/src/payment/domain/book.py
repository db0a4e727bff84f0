"""What a batch of operations makes of locked accounts and holds, kept until it is written.

Nothing is read or written here, and nothing decided: that is ``payment.domain.rules``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple, cast
from uuid import UUID

from payment.domain.accounts import system_account
from payment.domain.hold import Hold
from payment.domain.ids import AccountId, HoldId, TransferId, WalletId
from payment.domain.ledger import TransferKind
from payment.domain.ledger_account import LedgerAccount
from payment.domain.outcome import Answer, Outcome
from payment.domain.spending import Standing, bring_up_to_date


class Answered(NamedTuple):
    """What an operation was answered before. ``stored``: by an earlier batch."""

    outcome: Outcome
    request_hash: UUID | None
    at: datetime
    stored: bool = True


class Moved(NamedTuple):
    """Money from one account to another, with both balances and versions after it."""

    id: TransferId
    kind: TransferKind
    debit: LedgerAccount
    credit: LedgerAccount
    amount_minor: int
    debit_version: int
    debit_balance_minor: int
    credit_version: int
    credit_balance_minor: int
    reference_id: UUID | None
    request_hash: UUID | None
    currency: str
    note: str


class Refused(NamedTuple):
    """A refusal to remember."""

    op_id: TransferId
    outcome: Outcome
    request_hash: UUID


class Credited(NamedTuple):
    """A transaction that waited for this money: it shows what came, and the balance after it."""

    wallet_id: WalletId
    shown_at: datetime
    shown_as: TransferId
    amount_minor: int
    balance_after_minor: int


class Book:
    """``accounts`` and ``holds`` are all that the operations name, where they exist; ``answered`` is what was answered
    before. ``slot`` is where money of ours is posted to.
    """

    def __init__(
        self,
        accounts: Mapping[AccountId, LedgerAccount],
        holds: dict[HoldId, Hold],
        answered: dict[TransferId, Answered],
        *,
        slot: int,
        now: datetime,
    ) -> None:
        self.accounts, self.holds = accounts, holds
        self.moved: list[Moved] = []
        self.refused: list[Refused] = []
        self.credited: list[Credited] = []
        self.closed_months: dict[tuple[AccountId, date], int] = {}  # what was spent, by wallet and month
        self.given_back: dict[tuple[AccountId, date], int] = {}  # by wallet and month closed before
        self.answered, self.slot, self.now = answered, slot, now

    def bring_up_to_date(self, standings: Mapping[AccountId, Standing]) -> None:
        """Give the wallets their limits and today's counts."""
        for account_id, standing in standings.items():
            closed = bring_up_to_date(self.accounts[account_id], standing, self.now)
            if closed is not None:
                self.closed_months[account_id, closed.month] = closed.amount_minor

    def give_month_back(self, wallet: LedgerAccount, month: date, amount_minor: int) -> None:
        """The amount that was counted in a month gone by was not spent after all."""
        key = wallet.id, month
        if key in self.closed_months:
            self.closed_months[key] = max(self.closed_months[key] - amount_minor, 0)
        else:
            self.given_back[key] = self.given_back.get(key, 0) + amount_minor

    def wallet_of(self, hold: Hold) -> LedgerAccount:
        """Of a hold that is no tombstone; it is about to change."""
        wallet = self.accounts[cast("AccountId", hold.facts.account_id)]
        wallet.changed = True
        return wallet

    def clearing_of(self, hold: Hold) -> LedgerAccount:
        """Of a hold that is no tombstone."""
        return self.accounts[cast("AccountId", hold.facts.clearing_id)]

    def system(self, kind: str, currency: str, name: str = "") -> LedgerAccount:
        """An account of ours, in the book's slot."""
        return self.accounts[system_account(kind, currency, self.slot, name=name).id]

    def move(  # noqa: PLR0917 -- in the order of a transfer's columns; the hottest call there is
        self,
        kind: TransferKind,
        op_id: TransferId,
        debit: LedgerAccount,
        credit: LedgerAccount,
        amount_minor: int,
        reference_id: UUID | None = None,
        request_hash: UUID | None = None,
        note: str = "",
    ) -> None:
        """Money from ``debit`` to ``credit``, both of one currency."""
        debit.balance_minor -= amount_minor
        debit.version += 1
        credit.balance_minor += amount_minor
        credit.version += 1
        debit.changed = credit.changed = True
        self.moved.append(
            Moved(
                op_id,
                kind,
                debit,
                credit,
                amount_minor,
                debit.version,
                debit.balance_minor,
                credit.version,
                credit.balance_minor,
                reference_id,
                request_hash,
                debit.currency,
                note,
            )
        )

    def remember(self, op_id: TransferId, refusal: Outcome | None, request_hash: UUID | None) -> Answer:
        """What an operation with an id of its own is answered, now and whenever it is repeated."""
        outcome = Outcome.DONE if refusal is None else refusal
        self.answered[op_id] = Answered(outcome, request_hash, self.now, stored=False)
        if refusal is not None and request_hash is not None:
            self.refused.append(Refused(op_id, refusal, request_hash))
        return Answer(outcome, 0, self.now, None)


def again(known: Answered, request_hash: UUID | None) -> Answer:
    """The answer to a repeated operation: the first one, unless the request is another."""
    if known.request_hash != request_hash:
        return Answer(Outcome.REQUEST_REUSED, 0, known.at, None)
    if known.outcome == Outcome.DONE:
        return Answer(Outcome.DONE_BEFORE, 0, known.at, None)
    return Answer(known.outcome, 0, known.at, None, refused_before=known.stored)
