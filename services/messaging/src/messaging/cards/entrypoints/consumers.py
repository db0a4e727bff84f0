"""Events of other services as entities that cards show. Only what everybody in the dialog may know is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from eventing import Message, flows_of
from messaging.adapters.transaction import MessagingTx
from messaging.cards.usecases.follow_entities import follow_entities
from messaging.core.domain.cards import Entity, EntityType
from messaging.core.domain.topic import Topic
from messaging.core.usecases.open_topics import open_topics
from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderConfirmed, OrderPaid, OrderPlaced, OrderStatusChanged
from sampan.commerce.v1.product_pb2 import ProductPublished, ProductWithdrawn
from sampan.commerce.v1.shop_pb2 import ShopOpened
from sampan.payment.v1.transfer_pb2 import TransferCompleted, TransferRefused
from sampan.types.v1.money_pb2 import Money

ORDER_STATUS: Final = {
    "OrderPlaced": "pending",
    "OrderConfirmed": "confirmed",
    "OrderPaid": "paid",
    "OrderCancelled": "cancelled",
}
LINES_SHOWN: Final = 5


def _order_of(message: Message[Any]) -> Entity:
    """Any event of an order."""
    body, name = message.body, type(message.body).__name__
    state: dict[str, Any] = {
        "order_number": body.order_number,
        "shop_id": body.shop_id,
        "shop_name": body.shop_name,
        "status": ORDER_STATUS.get(name) or body.status,
        "changed_at": message.time,
    }
    if body.DESCRIPTOR.fields_by_name.get("total") is not None:
        state["total"] = _money(body.total)
    if name == "OrderPlaced":
        state["lines"] = [{"title": each.title, "quantity": each.quantity} for each in body.lines[:LINES_SHOWN]]
        state["line_count"] = len(body.lines)
    if name == "OrderCancelled":
        state["reason_code"] = body.reason_code
    return Entity(
        type=EntityType.ORDER,
        id=UUID(body.order_id),
        version=message.aggregate_version or 0,
        state=state,
        parties=(UUID(body.buyer_id), UUID(body.seller_id)),
    )


def _product_of(message: Message[Any]) -> Entity:
    """A product that can be bought, or no longer."""
    body = message.body
    state: dict[str, Any] = {"shop_id": body.shop_id, "status": body.status, "changed_at": message.time}
    if body.DESCRIPTOR.fields_by_name.get("title") is not None:
        state |= {"title": body.title, "price_from": _money(body.price_from)}
    return Entity(
        type=EntityType.PRODUCT, id=UUID(body.product_id), version=message.aggregate_version or 0, state=state
    )


def _shop_of(message: Message[Any]) -> Entity:
    """A shop people can write to."""
    return Entity(
        type=EntityType.SHOP,
        id=UUID(message.body.shop_id),
        version=message.aggregate_version or 1,
        state={"name": message.body.name},
        parties=(UUID(message.body.owner_id),),
    )


def _transfer_of(message: Message[Any]) -> Entity:
    """Money that was sent, or refused. Says nothing new about what was never asked for in a dialog."""
    body = message.body
    refused = getattr(body, "reason_code", "")
    state: dict[str, Any] = {"status": "refused" if refused else "completed", "changed_at": message.time}
    if refused:
        state["reason_code"] = refused
    return Entity(
        type=EntityType.TRANSFER,
        id=UUID(body.transfer_id),
        # Pending is 1; money that moved is never told to be refused after all.
        version=2 if refused else 3,
        state=state,
        parties=(UUID(body.sender_id), UUID(body.recipient_id)),
    )


def _money(amount: Money) -> dict[str, Any]:
    """As the API writes it."""
    return {"amount_minor": amount.amount_minor, "currency": amount.currency}


ENTITY_OF: Final[Mapping[type[Any], Callable[[Message[Any]], Entity]]] = {
    OrderPlaced: _order_of,
    OrderConfirmed: _order_of,
    OrderPaid: _order_of,
    OrderCancelled: _order_of,
    OrderStatusChanged: _order_of,
    ProductPublished: _product_of,
    ProductWithdrawn: _product_of,
    ShopOpened: _shop_of,
    TransferCompleted: _transfer_of,
    TransferRefused: _transfer_of,
}


async def on_entities(messages: Sequence[Message[Any]], tx: MessagingTx) -> None:
    """Cards follow them. Buyer and seller of a new order get a dialog about it."""
    entities = [ENTITY_OF[type(each.body)](each) for each in messages]
    in_flow = flows_of({entity.id: message for entity, message in zip(entities, messages, strict=True)})
    kept = await follow_entities(entities, tx, in_flow)
    placed = [each.body for each in messages if isinstance(each.body, OrderPlaced)]
    titles = {UUID(each.order_id): f"{each.shop_name} · {each.order_number}" for each in placed}
    topics = [Topic.of_parties(entity, titles[entity.id]) for entity in kept if entity.id in titles]
    await open_topics(topics, None, tx, in_flow)
