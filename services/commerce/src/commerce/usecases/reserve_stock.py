"""The saga's first step: hold what a checkout wants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from commerce.domain.checkout import StockState
from commerce.domain.ids import CheckoutId
from commerce.domain.settlement import Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveStock:
    checkout_id: CheckoutId
    hold_s: float


def reserve_stock(command: ReserveStock, settlement: Settlement) -> None:
    """Hold the whole demand until ``hold_s`` from now, or nothing; done already is fine.

    Raises ``CheckoutNotFoundError``, ``CheckoutReleasedError``, ``CancelRequestedError`` and ``SoldOutError``.
    """
    checkout = settlement.get(command.checkout_id)
    if checkout.must_reserve():
        shelf = settlement.shelf
        shelf.reserve(checkout.id, checkout.demand, shelf.now + timedelta(seconds=command.hold_s))
        settlement.move(checkout, StockState.HELD)
