"""The pivot of order_payment v1: the held stock is sold, and fulfilment is promised."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.checkout import StockState
from commerce.domain.checkout_batch import CheckoutBatch
from commerce.domain.ids import CheckoutId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmOrder:
    checkout_id: CheckoutId


def confirm_order(command: ConfirmOrder, batch: CheckoutBatch) -> None:
    """Sell what is held and confirm every order of the checkout; done already is fine.

    Raises ``CheckoutNotFoundError``, ``CheckoutReleasedError``, ``StockNotHeldError``, ``CancelRequestedError``,
    ``ShopClosedError``, ``AccountEndedError`` and ``HoldExpiredError``.
    """
    checkout = batch.get(command.checkout_id)
    if not checkout.must_take():
        return
    batch.refuse_abandoned(checkout)
    batch.shelf.take(checkout.id, checkout.demand)
    batch.move(checkout, StockState.TAKEN)
    for order in batch.orders_of(checkout.id):
        order.confirm(batch.shelf.now)
