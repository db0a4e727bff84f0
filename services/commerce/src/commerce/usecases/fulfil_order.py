"""The seller moves a paid order on: processing, shipped, delivered."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.ids import OrderId, UserId
from commerce.domain.order import Order, OrderNotFoundError, OrderStatus
from commerce.domain.shop import NotShopOwnerError
from commerce.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilOrder:
    order_id: OrderId
    user_id: UserId
    status: OrderStatus


async def fulfil_order(command: FulfilOrder, tx: Tx) -> Order:
    """One step on, announced.

    Raises ``OrderNotFoundError``, ``NotShopOwnerError`` (to the buyer) and ``FulfilmentRefusedError``.
    """
    order = await tx.orders.lock(command.order_id)
    if order is None or command.user_id not in {order.seller_id, order.buyer_id}:
        raise OrderNotFoundError
    if command.user_id != order.seller_id:
        raise NotShopOwnerError
    order.fulfil(command.status, tx.now)
    if order.facts:
        await tx.orders.save([order])
        tx.events.order_moved(order)
    return order
