"""The last step of order_payment v1: the money was captured, or none was needed."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.checkout import StockState
from commerce.domain.checkout_batch import CheckoutBatch
from commerce.domain.ids import CheckoutId
from commerce.domain.order import OrderNotConfirmedError, PaymentStatus, completed_payment


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkOrderPaid:
    checkout_id: CheckoutId


def mark_order_paid(command: MarkOrderPaid, batch: CheckoutBatch) -> None:
    """Note the money on the checkout and every order of it; done already is fine.

    Raises ``CheckoutNotFoundError`` and ``OrderNotConfirmedError``.
    """
    checkout = batch.get(command.checkout_id)
    if checkout.stock_state is not StockState.TAKEN:
        raise OrderNotConfirmedError
    if checkout.payment_status is PaymentStatus.PENDING:
        checkout.payment_status = completed_payment(checkout.total_minor)
        batch.move(checkout, StockState.TAKEN)
        for order in batch.orders_of(checkout.id):
            order.mark_paid(batch.shelf.now)
