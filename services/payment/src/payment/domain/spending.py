"""What a wallet may spend follows from its country, its owner's tier, and what was spent of the day, the month and the
year.

Days are the wallet's country's, and only go forward. Limits are looked up again at the next midnight there, when one
ends, and after ``FRESH_FOR`` at the latest, so that a table that is changed is in force by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from kernel.country import Country
from payment.domain.ledger_account import LedgerAccount

FRESH_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides a wallet's limits now. ``valid_until`` is when the first of them ends, if any does; ``months`` what
    was spent in months gone by, by their first days.
    """

    country: Country
    transaction_minor: int
    day_minor: int
    month_minor: int
    rolling_minor: int
    balance_minor: int
    valid_until: datetime | None
    months: Mapping[date, int]


class ClosedMonth(NamedTuple):
    """What was spent in a month that is over."""

    month: date
    amount_minor: int


def bring_up_to_date(wallet: LedgerAccount, standing: Standing, now: datetime) -> ClosedMonth | None:
    """Give the wallet its limits and today's counts. Returns the month it leaves, if it leaves one."""
    zone = standing.country.default_time_zone
    local_day = now.astimezone(_zone(zone)).date()
    today = local_day if wallet.spent_on is None else max(local_day, wallet.spent_on)
    closed = _begin_month(wallet, standing.months, today.replace(day=1))
    if wallet.spent_on not in {None, today}:
        wallet.spent_day_minor = 0
    wallet.spent_on = today
    wallet.limit_transaction_minor = standing.transaction_minor
    wallet.limit_day_minor = standing.day_minor
    wallet.limit_month_minor = standing.month_minor
    wallet.limit_rolling_minor = standing.rolling_minor
    wallet.limit_balance_minor = standing.balance_minor
    fresh_until = min(now + FRESH_FOR, _midnight_after(today, zone))
    wallet.limits_fresh_until = fresh_until if standing.valid_until is None else min(fresh_until, standing.valid_until)
    wallet.country, wallet.limits_changed = standing.country, True
    return closed


def _begin_month(wallet: LedgerAccount, months: Mapping[date, int], month: date) -> ClosedMonth | None:
    if wallet.spent_on is None or wallet.spent_on.replace(day=1) == month:
        return None
    closed = ClosedMonth(wallet.spent_on.replace(day=1), wallet.spent_month_minor)
    spent = {**months, closed.month: closed.amount_minor}
    year_ago = month.replace(year=month.year - 1)
    wallet.spent_month_minor = spent.get(month, 0)
    wallet.spent_prior_minor = sum(amount for each, amount in spent.items() if year_ago < each < month)
    return closed


@lru_cache(maxsize=100)
def _midnight_after(day: date, zone: str) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), _zone(zone))


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
