"""The end of a saga that failed: the orders are closed, with a reason that their buyer can read."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.checkout import CancelRequestedError, Checkout, StockState
from commerce.domain.checkout_batch import CheckoutBatch
from commerce.domain.ids import CheckoutId
from commerce.domain.order import CancelReason, Order, PaymentStatus
from commerce.domain.shop import ShopClosedError
from commerce.domain.stock import SoldOutError


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    checkout_id: CheckoutId
    reason_code: str


def cancel_order(command: CancelOrder, batch: CheckoutBatch) -> None:
    """Give the units back and close every order of the checkout; done already, or an unknown checkout, is fine.

    Raises ``OrderAlreadyPaidError``.
    """
    checkout = batch.find(command.checkout_id)
    if checkout is None:
        return
    batch.release(checkout)
    if checkout.payment_status is PaymentStatus.PENDING:
        checkout.payment_status = PaymentStatus.FAILED
        batch.move(checkout, StockState.RELEASED)
        for order in batch.orders_of(checkout.id):
            order.cancel(_reason_of(order, checkout, command.reason_code, batch), batch.shelf.now)


def _reason_of(order: Order, checkout: Checkout, reason_code: str, batch: CheckoutBatch) -> str:
    """Of orders paid together only those read of a closed shop or a lack of stock that it is true of."""
    if reason_code == CancelRequestedError.code:
        return CancelReason.BUYER
    if len(batch.orders_of(checkout.id)) == 1:
        return reason_code
    match reason_code:
        case ShopClosedError.code:
            concerned = order.shop_id in batch.closed_shops
        case SoldOutError.code:
            concerned = order.shop_id in batch.shelf.short_shops(checkout.demand)
        case _:
            concerned = True
    return reason_code if concerned else CancelReason.PART_FAILED
