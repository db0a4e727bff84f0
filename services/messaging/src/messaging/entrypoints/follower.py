"""What follows a dialog's stream after it was written: the search index and the activity feed.

It reads messaging's own public records, as a consumer of its own: the outbox has them if and only if the message is
there, so nothing is left out after a crash, the hot path writes nothing more, and a fault here holds up one dialog's
index and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from eventing import Message, Subscriptions
from messaging.activity.usecases.note_activity import (
    Joining,
    OrderStep,
    Reacted,
    note_joinings,
    note_messages,
    note_orders,
    note_reactions,
)
from messaging.adapters.transaction import MessagingTx
from messaging.search.usecases.index_messages import index_messages
from messaging.wiring import App
from sampan.auth.v1.user_pb2 import UserDeleted
from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderPaid, OrderPlaced, OrderStatusChanged
from sampan.messaging.v1.dialog_pb2 import MemberChanged
from sampan.messaging.v1.message_pb2 import MessageDeleted, MessageEdited, MessageSent, ReactionChanged

CONSUMER: Final = "messaging.follower"


def follower(app: App) -> Subscriptions[MessagingTx]:
    """The follower's table of handlers."""
    subscriptions: Subscriptions[MessagingTx] = Subscriptions(CONSUMER, rest_s=0.1)

    @subscriptions.on_batch(MessageSent, MessageEdited, MessageDeleted)
    async def on_messages(messages: Sequence[Message[Any]], tx: MessagingTx) -> None:
        """They are indexed as they are now. An edit concerns nobody anew."""
        await index_messages(tx.conn, tx.keys, app.blind, {_subject(each) for each in messages})
        await note_messages({_subject(each) for each in messages if not isinstance(each.body, MessageEdited)}, tx)

    subscriptions.on_batch(ReactionChanged)(_on_reactions)
    subscriptions.on_batch(MemberChanged)(_on_member_changes)
    subscriptions.on(UserDeleted)(_erasure_after(timedelta(days=app.settings.erasure_grace_days)))
    subscriptions.on_batch(OrderPlaced, OrderPaid, OrderCancelled, OrderStatusChanged)(_on_orders)
    return subscriptions


async def _on_reactions(messages: Sequence[Message[Any]], tx: MessagingTx) -> None:
    await note_reactions(
        [
            Reacted(
                UUID(each.body.dialog_id), each.body.message_seq, UUID(each.body.user_id), _person(each.body.sender_id)
            )
            for each in messages
        ],
        tx,
    )


async def _on_member_changes(messages: Sequence[Message[MemberChanged]], tx: MessagingTx) -> None:
    bodies = [each.body for each in messages if each.body.status == "active"]
    await note_joinings(
        [
            Joining(UUID(each.dialog_id), UUID(each.user_id), _person(each.changed_by), _time(each.changed_at))
            for each in bodies
        ],
        tx,
    )


async def _on_orders(messages: Sequence[Message[Any]], tx: MessagingTx) -> None:
    await note_orders([_step(each.body) for each in messages], tx)


def _erasure_after(grace: timedelta) -> Any:
    async def on_user_deleted(message: Message[UserDeleted], tx: MessagingTx) -> None:
        """The account can no longer sign in; what it wrote goes when nobody can want it back any more."""
        at = message.body.deleted_at.ToDatetime(tzinfo=UTC)
        await tx.erasures.request_erasure(UUID(message.body.user_id), "account_deleted", tx.now, at + grace)

    return on_user_deleted


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
        at=_time(at),
    )


def _subject(message: Message[Any]) -> tuple[UUID, int]:
    body = message.body
    return UUID(body.dialog_id), body.seq if isinstance(body, MessageSent) else body.message_seq


def _person(text: str) -> UUID | None:
    return UUID(text) if text else None


def _time(at: Timestamp) -> datetime:
    return at.ToDatetime(tzinfo=UTC)
