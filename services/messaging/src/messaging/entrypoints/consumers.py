"""Which records messaging hears: of other services, and of its own streams, each as a consumer of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from eventing import Message, Subscriptions
from messaging.activity.entrypoints.consumers import on_member_changes, on_orders, on_reactions
from messaging.activity.usecases.note_messages import note_messages
from messaging.adapters.transaction import MessagingTx
from messaging.cards.entrypoints.consumers import ENTITY_OF, on_entities
from messaging.core.entrypoints import consumers as core
from messaging.lifecycle.entrypoints.consumers import erasure_after, on_user_deleted
from messaging.search.usecases.index_messages import index_messages
from messaging.wiring import NAME, App
from sampan.auth.v1.graph_pb2 import FriendshipEnded, FriendshipStarted, UserBlocked, UserPrivacyChanged, UserUnblocked
from sampan.auth.v1.user_pb2 import UserAccessReset, UserDeleted, UserProfileChanged, UserRegistered
from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderPaid, OrderPlaced, OrderStatusChanged
from sampan.messaging.v1.dialog_pb2 import MemberChanged
from sampan.messaging.v1.message_pb2 import MessageDeleted, MessageEdited, MessageSent, ReactionChanged

STREAM_CONSUMER: Final = "messaging.follower"
_REST_S: Final = 0.1


subscriptions: Final[Subscriptions[MessagingTx]] = Subscriptions(NAME, rest_s=_REST_S)
subscriptions.on(UserRegistered)(core.on_user_registered)
subscriptions.on(UserProfileChanged)(core.on_user_profile_changed)
subscriptions.on(UserAccessReset)(core.on_user_access_reset)
subscriptions.on(UserBlocked)(core.on_user_blocked)
subscriptions.on(UserUnblocked)(core.on_user_unblocked)
subscriptions.on(FriendshipStarted)(core.on_friendship_started)
subscriptions.on(FriendshipEnded)(core.on_friendship_ended)
subscriptions.on(UserPrivacyChanged)(core.on_user_privacy_changed)
subscriptions.on(UserDeleted)(on_user_deleted)
subscriptions.on_batch(*ENTITY_OF)(on_entities)


def stream_consumer(app: App) -> Subscriptions[MessagingTx]:
    """What follows a dialog's stream after it was written: the search index and the activity feed.

    It reads messaging's own public records: the outbox has them if and only if the message is there, so nothing is left
    out after a crash, the hot path writes nothing more, and a fault here holds up one dialog's index and nothing else.
    """
    table: Subscriptions[MessagingTx] = Subscriptions(STREAM_CONSUMER, rest_s=_REST_S)

    @table.on_batch(MessageSent, MessageEdited, MessageDeleted)
    async def on_messages(messages: Sequence[Message[Any]], tx: MessagingTx) -> None:
        """They are indexed as they are now. An edit concerns nobody anew."""
        await index_messages({_subject(each) for each in messages}, tx, app.blind)
        await note_messages({_subject(each) for each in messages if not isinstance(each.body, MessageEdited)}, tx)

    table.on_batch(ReactionChanged)(on_reactions)
    table.on_batch(MemberChanged)(on_member_changes)
    table.on(UserDeleted)(erasure_after(timedelta(days=app.settings.erasure_grace_days)))
    table.on_batch(OrderPlaced, OrderPaid, OrderCancelled, OrderStatusChanged)(on_orders)
    return table


def _subject(message: Message[Any]) -> tuple[UUID, int]:
    body = message.body
    return UUID(body.dialog_id), body.seq if isinstance(body, MessageSent) else body.message_seq
