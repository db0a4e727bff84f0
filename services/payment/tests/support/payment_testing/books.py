"""The ledger's rules without a database: what batches leave stays in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import WALLET, wallet_id
from payment.domain.book import Answered, Book, Moved
from payment.domain.hold import Hold
from payment.domain.ids import AccountId, HoldId, TransferId, UserId
from payment.domain.ledger import Op
from payment.domain.ledger_account import LedgerAccount
from payment.domain.outcome import Answer
from payment.domain.rules import apply, system_accounts_of
from payment_testing.people import NOON

Rule = Callable[[Op, Book], Answer]


def account(account_id: AccountId, kind: str, currency: str, user_id: UserId | None, **fields: Any) -> LedgerAccount:
    """One without limits, unless they are given."""
    limits = {f"limit_{name}_minor": AMOUNT_MINOR_MAX for name in ("transaction", "day", "month", "rolling", "balance")}
    spent = {f"spent_{name}_minor": 0 for name in ("day", "month", "prior")}
    known: dict[str, Any] = {"status": "active", "balance_minor": 0, "frozen_minor": 0, "version": 0}
    when: dict[str, Any] = {
        "spent_on": date(2026, 1, 1),
        "limits_fresh_until": NOON + timedelta(days=400),
    }
    return LedgerAccount(
        id=account_id, user_id=user_id, kind=kind, currency=currency, **(known | limits | spent | when | fields)
    )


class Books:
    """Accounts, holds and answers, as a database would keep them. ``rule`` may be another than the ledger's own."""

    def __init__(self, rule: Rule = apply) -> None:
        self.accounts: dict[AccountId, LedgerAccount] = {}
        self.holds: dict[HoldId, Hold] = {}
        self.answered: dict[TransferId, Answered] = {}
        self.moved: list[Moved] = []
        self._rule = rule

    def open(self, user_id: UserId, balance_minor: int = 0, currency: str = "THB", **fields: Any) -> LedgerAccount:
        """A wallet."""
        wallet = account(wallet_id(user_id, currency), WALLET, currency, user_id, balance_minor=balance_minor, **fields)
        self.accounts[wallet.id] = wallet
        return wallet

    def apply(self, ops: Sequence[Op], now: datetime = NOON, *, slot: int = 0) -> list[Answer]:
        """One batch."""
        for op in ops:
            for ours in system_accounts_of(op, slot):
                self.accounts.setdefault(ours.id, account(ours.id, ours.kind, ours.currency, ours.user_id))
        book = Book(self.accounts, self.holds, self.answered, slot=slot, now=now)
        answers = [self._rule(op, book) for op in ops]
        for refused in book.refused:
            self.answered[refused.op_id] = Answered(refused.outcome, refused.request_hash, now)
        self.moved += book.moved
        return answers
