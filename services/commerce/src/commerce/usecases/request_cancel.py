"""The buyer takes an order back, with everything that is paid together with it."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.ids import OrderId, UserId
from commerce.domain.order import CancelReason, Order, OrderNotFoundError
from commerce.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCancel:
    order_id: OrderId
    buyer_id: UserId


async def request_cancel(command: RequestCancel, tx: Tx) -> Order:
    """Grant the cancel and ask the saga to compensate; the confirmation is refused from then on (CHK-2).

    Raises ``OrderNotFoundError`` and, once confirmed, ``OrderNotCancellableError``.
    """
    order = await tx.orders.get(command.order_id)
    if order is None or order.buyer_id != command.buyer_id:
        raise OrderNotFoundError
    [checkout] = await tx.orders.lock_checkouts([order.checkout_id])
    if checkout.request_cancel(tx.now):
        orders = await tx.orders.orders_of([checkout.id])
        for each in orders:
            each.request_cancel(tx.now)
        await tx.orders.save_checkouts([checkout])
        await tx.orders.save(orders)
        tx.events.cancel_payment(checkout, CancelReason.BUYER)
    return order
