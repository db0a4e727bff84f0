"""What the activity feed notes of messaging's own records and of commerce's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from contracts.values import moment_of
from eventing import Message
from messaging.activity.domain.activity import Joining, OrderStep, Reacted
from messaging.activity.usecases.note_joinings import note_joinings
from messaging.activity.usecases.note_orders import note_orders
from messaging.activity.usecases.note_reactions import note_reactions
from messaging.adapters.transaction import MessagingTx
from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderPaid, OrderPlaced, OrderStatusChanged
from sampan.messaging.v1.dialog_pb2 import MemberChanged


async def on_reactions(messages: Sequence[Message[Any]], tx: MessagingTx) -> None:
    """A reaction concerns who wrote the message."""
    await note_reactions(
        [
            Reacted(
                UUID(each.body.dialog_id), each.body.message_seq, UUID(each.body.user_id), _person(each.body.sender_id)
            )
            for each in messages
        ],
        tx,
    )


async def on_member_changes(messages: Sequence[Message[MemberChanged]], tx: MessagingTx) -> None:
    """Whoever was let in by somebody else hears of it."""
    bodies = [each.body for each in messages if each.body.status == "active"]
    await note_joinings(
        [
            Joining(UUID(each.dialog_id), UUID(each.user_id), _person(each.changed_by), moment_of(each.changed_at))
            for each in bodies
        ],
        tx,
    )


async def on_orders(messages: Sequence[Message[Any]], tx: MessagingTx) -> None:
    """Each step of an order concerns its parties."""
    await note_orders([_step(each.body) for each in messages], tx)


def _step(body: OrderPlaced | OrderPaid | OrderCancelled | OrderStatusChanged) -> OrderStep:
    match body:
        case OrderPlaced():
            status, people, at = "placed", [body.seller_id], body.placed_at
        case OrderPaid():
            status, people, at = "paid", [body.buyer_id, body.seller_id], body.paid_at
        case OrderCancelled():
            status, people, at = "cancelled", [body.buyer_id, body.seller_id], body.cancelled_at
        case _:
            status, people, at = body.status, [body.buyer_id], body.changed_at
    return OrderStep(
        order_id=UUID(body.order_id),
        number=body.order_number,
        status=status,
        people=tuple(UUID(each) for each in people),
        at=moment_of(at),
    )


def _person(text: str) -> UUID | None:
    return UUID(text) if text else None
