"""An account while the ledger decides: locked, in memory, with what its owner may spend.

Days only go forward: what a hold gives back returns to the day and month it was counted in, and a count that was begun
anew since then has nothing of it. No count is negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import WALLET
from payment.domain.ids import AccountId, UserId
from payment.domain.outcome import Outcome

_ROLLING_MONTHS: Final = 12


@dataclass(slots=True)
class LedgerAccount:
    """Fields in the order in which they are read. Limits are in force as of ``limits_fresh_until``; one that is absent
    is ``AMOUNT_MINOR_MAX``, more than which nothing of a wallet ever is.
    """

    id: AccountId
    user_id: UserId | None
    kind: str
    status: str
    currency: str
    balance_minor: int
    frozen_minor: int
    version: int
    spent_on: date | None
    spent_day_minor: int
    spent_month_minor: int
    spent_prior_minor: int
    limit_transaction_minor: int
    limit_day_minor: int
    limit_month_minor: int
    limit_rolling_minor: int
    limit_balance_minor: int
    limits_fresh_until: datetime | None
    changed: bool = False
    limits_changed: bool = False
    country: str | None = None  # known once limits have changed

    def has_stale_limits(self, now: datetime) -> bool:
        """Limits and days must be brought up to date before the account is used."""
        return self.kind == WALLET and (self.limits_fresh_until is None or self.limits_fresh_until <= now)

    def refusal_to_spend(self, amount_minor: int) -> Outcome | None:
        """Why the wallet cannot spend the amount now."""
        if self.balance_minor - self.frozen_minor < amount_minor:
            return Outcome.INSUFFICIENT_FUNDS
        if amount_minor > self.limit_transaction_minor:
            return Outcome.LIMIT_TRANSACTION
        if self.spent_day_minor + amount_minor > self.limit_day_minor:
            return Outcome.LIMIT_DAILY
        month_minor = self.spent_month_minor + amount_minor
        if month_minor > self.limit_month_minor:
            return Outcome.LIMIT_MONTHLY
        if self.spent_prior_minor + month_minor > self.limit_rolling_minor:
            return Outcome.LIMIT_ROLLING
        return None

    def count_spent(self, amount_minor: int) -> None:
        """The amount counts against today's and this month's limits."""
        self.spent_day_minor += amount_minor
        self.spent_month_minor += amount_minor
        self.changed = True

    def give_limit_back(self, amount_minor: int, day: date) -> date | None:
        """What was counted on ``day`` was not spent after all. Returns the month that another row counts, if any."""
        self.changed = True
        today = self.spent_on or day
        if day == today:
            self.spent_day_minor = max(self.spent_day_minor - amount_minor, 0)
        months_ago = (today.year - day.year) * 12 + today.month - day.month
        if months_ago == 0:
            self.spent_month_minor = max(self.spent_month_minor - amount_minor, 0)
            return None
        if 0 < months_ago < _ROLLING_MONTHS:
            self.spent_prior_minor = max(self.spent_prior_minor - amount_minor, 0)
        return day.replace(day=1)

    def can_hold(self, amount_minor: int) -> bool:
        """Whether the balance stays what an amount may be."""
        return self.balance_minor + amount_minor <= AMOUNT_MINOR_MAX
