"""What messaging hears from other services: people, and what its cards show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from eventing import Message, Subscriptions, flows_of
from messaging.adapters.transaction import MessagingTx
from messaging.cards.entrypoints.entities import ENTITY_OF
from messaging.cards.usecases.follow_entity import follow_entities
from messaging.core.adapters.account_store import Account
from messaging.core.domain.stream import Sight
from messaging.core.usecases.follow_privacy import Privacy, follow_privacy
from messaging.core.usecases.reset_access import reset_access
from messaging.core.usecases.topic_dialogs import open_topics
from messaging.lifecycle.usecases.end_account import EndAccount, end_account
from sampan.auth.v1.graph_pb2 import FriendshipEnded, FriendshipStarted, UserBlocked, UserPrivacyChanged, UserUnblocked
from sampan.auth.v1.user_pb2 import UserAccessReset, UserDeleted, UserProfileChanged, UserRegistered
from sampan.commerce.v1.order_pb2 import OrderPlaced

CONSUMER: Final = "messaging"
subscriptions: Final[Subscriptions[MessagingTx]] = Subscriptions(CONSUMER, rest_s=0.1)


@subscriptions.on(UserRegistered)
async def on_user_registered(message: Message[UserRegistered], tx: MessagingTx) -> None:
    """Somebody new can be written to."""
    await tx.people.upsert(_account(message))


@subscriptions.on(UserProfileChanged)
async def on_user_profile_changed(message: Message[UserProfileChanged], tx: MessagingTx) -> None:
    """Their name is shown as it is now."""
    await tx.people.upsert(_account(message))


@subscriptions.on(UserAccessReset)
async def on_user_access_reset(message: Message[UserAccessReset], tx: MessagingTx) -> None:
    """Somebody else may have made what acts in the person's name."""
    await reset_access(UUID(message.body.user_id), message.body.access_epoch, tx)


@subscriptions.on(UserDeleted)
async def on_user_deleted(message: Message[UserDeleted], tx: MessagingTx) -> None:
    """They are gone for everybody at once; the follower has their words erased much later."""
    body = message.body
    ended_at = body.deleted_at.ToDatetime(tzinfo=UTC) if body.HasField("deleted_at") else message.time
    await end_account(EndAccount(user_id=UUID(body.user_id), ended_at=ended_at), tx)


@subscriptions.on(UserBlocked)
async def on_user_blocked(message: Message[UserBlocked], tx: MessagingTx) -> None:
    """Nothing goes between the two from now on."""
    await _keep_block(message, tx, active=True)


@subscriptions.on(UserUnblocked)
async def on_user_unblocked(message: Message[UserUnblocked], tx: MessagingTx) -> None:
    await _keep_block(message, tx, active=False)


@subscriptions.on(FriendshipStarted)
async def on_friendship_started(message: Message[FriendshipStarted], tx: MessagingTx) -> None:
    """What is for friends is for them too."""
    await _keep_friendship(message, tx, active=True)


@subscriptions.on(FriendshipEnded)
async def on_friendship_ended(message: Message[FriendshipEnded], tx: MessagingTx) -> None:
    await _keep_friendship(message, tx, active=False)


@subscriptions.on(UserPrivacyChanged)
async def on_user_privacy_changed(message: Message[UserPrivacyChanged], tx: MessagingTx) -> None:
    body = message.body
    told = Privacy(
        user_id=UUID(body.user_id),
        version=body.version,
        presence_to=body.show_presence_to,
        direct_from=body.direct_messages_from,
        read_receipts=body.read_receipts,
        since=body.at.ToDatetime(tzinfo=UTC) if body.HasField("at") else message.time,
    )
    await follow_privacy(told, tx)


@subscriptions.on_batch(*ENTITY_OF)
async def on_entities(messages: Sequence[Message[Any]], tx: MessagingTx) -> None:
    """Cards follow them. Buyer and seller of a new order get a dialog about it."""
    told = [ENTITY_OF[type(each.body)](each) for each in messages]
    in_flow = flows_of({entity.id: message for entity, message in zip(told, messages, strict=True)})
    kept = await follow_entities(told, tx, in_flow)
    placed = [each.body for each in messages if isinstance(each.body, OrderPlaced)]
    titles = {UUID(each.order_id): f"{each.shop_name} · {each.order_number}" for each in placed}
    await open_topics([(entity, titles[entity.id]) for entity in kept if entity.id in titles], tx, in_flow)


async def _keep_block(message: Message[UserBlocked] | Message[UserUnblocked], tx: MessagingTx, *, active: bool) -> None:
    body = message.body
    blocker_id, blocked_id = UUID(body.blocker_id), UUID(body.blocked_id)
    await tx.people.set_block(blocker_id, blocked_id, body.version, message.time, active=active)
    tx.hints.sight_changed(Sight(blocker_id, blocked_id))
    tx.hints.sight_changed(Sight(blocked_id, blocker_id))


async def _keep_friendship(
    message: Message[FriendshipStarted] | Message[FriendshipEnded], tx: MessagingTx, *, active: bool
) -> None:
    body = message.body
    user_id, friend_id = UUID(body.user_id), UUID(body.friend_id)
    await tx.people.set_friendship(user_id, friend_id, body.version, active=active)
    tx.hints.sight_changed(Sight(user_id, friend_id))
    tx.hints.sight_changed(Sight(friend_id, user_id))


def _account(message: Message[UserRegistered] | Message[UserProfileChanged]) -> Account:
    body = message.body
    return Account(
        user_id=UUID(body.user_id),
        version=message.aggregate_version or 0,
        display_name=body.display_name,
        locale=body.locale,
    )
