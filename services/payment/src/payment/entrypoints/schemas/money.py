"""Amounts that may be missing."""

from __future__ import annotations

from chassis.http import MoneyView
from kernel.money import Currency


def money_or_none(amount_minor: int | None, currency: str | None) -> MoneyView | None:
    if amount_minor is None or currency is None:
        return None
    return MoneyView(amount_minor=amount_minor, currency=Currency(currency))
