"""The first step of order_payment v1: hold what a checkout wants. Placed by today's code, it does already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from commerce.domain.checkout import StockState
from commerce.domain.checkout_batch import CheckoutBatch
from commerce.domain.ids import CheckoutId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveStock:
    checkout_id: CheckoutId
    hold_s: float


def reserve_stock(command: ReserveStock, batch: CheckoutBatch) -> None:
    """Hold the whole demand until ``hold_s`` from now, or nothing; done already is fine.

    Raises ``CheckoutNotFoundError``, ``CheckoutReleasedError``, ``CancelRequestedError`` and ``SoldOutError``.
    """
    checkout = batch.get(command.checkout_id)
    if checkout.must_reserve():
        shelf = batch.shelf
        shelf.reserve(checkout.id, checkout.demand, shelf.now + timedelta(seconds=command.hold_s))
        batch.move(checkout, StockState.HELD)
