"""The pivot of the saga: the held stock is sold, and fulfilment is promised."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.checkout import StockState
from commerce.domain.ids import CheckoutId
from commerce.domain.settlement import Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmOrder:
    checkout_id: CheckoutId


def confirm_order(command: ConfirmOrder, settlement: Settlement) -> None:
    """Sell what is held and confirm every order of the checkout; done already is fine.

    Raises ``CheckoutNotFoundError``, ``CheckoutReleasedError``, ``StockNotHeldError``, ``CancelRequestedError``,
    ``ShopClosedError``, ``AccountEndedError`` and ``HoldExpiredError``.
    """
    checkout = settlement.get(command.checkout_id)
    if not checkout.must_take():
        return
    if checkout.id in settlement.abandoned:
        raise settlement.abandoned[checkout.id]
    settlement.shelf.take(checkout.id, checkout.demand)
    settlement.move(checkout, StockState.TAKEN)
    for order in settlement.orders_of(checkout.id):
        order.confirm(settlement.shelf.now)
