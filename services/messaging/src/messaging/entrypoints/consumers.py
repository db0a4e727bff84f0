"""What messaging hears from other services: people, and what its cards show."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from eventing import Message, Subscriptions
from messaging.adapters.accounts import Account, keep_account, keep_block, keep_friendship, keep_privacy
from messaging.adapters.transaction import MessagingTx
from messaging.domain.stream import Sight
from messaging.entrypoints.entities import order_of, product_of, shop_of, transfer_of
from messaging.usecases.follow_entity import follow_entity
from messaging.usecases.topic_dialogs import open_topic
from sampan.auth.v1.graph_pb2 import FriendshipEnded, FriendshipStarted, UserBlocked, UserPrivacyChanged, UserUnblocked
from sampan.auth.v1.user_pb2 import UserProfileChanged, UserRegistered
from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderConfirmed, OrderPaid, OrderPlaced, OrderStatusChanged
from sampan.commerce.v1.product_pb2 import ProductPublished, ProductWithdrawn
from sampan.commerce.v1.shop_pb2 import ShopOpened
from sampan.payment.v1.transfer_pb2 import TransferCompleted, TransferRefused

CONSUMER: Final = "messaging"
subscriptions: Final[Subscriptions[MessagingTx]] = Subscriptions(CONSUMER)


@subscriptions.on(UserRegistered)
async def on_user_registered(message: Message[UserRegistered], tx: MessagingTx) -> None:
    """Somebody new can be written to."""
    await keep_account(tx.conn, _account(message))


@subscriptions.on(UserProfileChanged)
async def on_user_profile_changed(message: Message[UserProfileChanged], tx: MessagingTx) -> None:
    """Their name is shown as it is now."""
    await keep_account(tx.conn, _account(message))


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
    await keep_privacy(
        tx.conn,
        UUID(body.user_id),
        body.version,
        presence_to=body.show_presence_to,
        direct_from=body.direct_messages_from,
        receipts=body.read_receipts,
    )
    tx.sights.append(Sight(UUID(body.user_id)))


@subscriptions.on(OrderPlaced)
async def on_order_placed(message: Message[OrderPlaced], tx: MessagingTx) -> None:
    """Buyer and seller get a dialog about it."""
    order = await follow_entity(order_of(message), tx)
    if order is not None:
        await open_topic(order, f"{message.body.shop_name} · {message.body.order_number}", tx)


@subscriptions.on(OrderConfirmed)
async def on_order_confirmed(message: Message[OrderConfirmed], tx: MessagingTx) -> None:
    await follow_entity(order_of(message), tx)


@subscriptions.on(OrderPaid)
async def on_order_paid(message: Message[OrderPaid], tx: MessagingTx) -> None:
    await follow_entity(order_of(message), tx)


@subscriptions.on(OrderCancelled)
async def on_order_cancelled(message: Message[OrderCancelled], tx: MessagingTx) -> None:
    await follow_entity(order_of(message), tx)


@subscriptions.on(OrderStatusChanged)
async def on_order_status_changed(message: Message[OrderStatusChanged], tx: MessagingTx) -> None:
    await follow_entity(order_of(message), tx)


@subscriptions.on(ProductPublished)
async def on_product_published(message: Message[ProductPublished], tx: MessagingTx) -> None:
    await follow_entity(product_of(message), tx)


@subscriptions.on(ProductWithdrawn)
async def on_product_withdrawn(message: Message[ProductWithdrawn], tx: MessagingTx) -> None:
    await follow_entity(product_of(message), tx)


@subscriptions.on(ShopOpened)
async def on_shop_opened(message: Message[ShopOpened], tx: MessagingTx) -> None:
    """Customers can write to it."""
    await follow_entity(shop_of(message), tx)


@subscriptions.on(TransferCompleted)
async def on_transfer_completed(message: Message[TransferCompleted], tx: MessagingTx) -> None:
    await follow_entity(transfer_of(message), tx)


@subscriptions.on(TransferRefused)
async def on_transfer_refused(message: Message[TransferRefused], tx: MessagingTx) -> None:
    await follow_entity(transfer_of(message), tx)


async def _keep_block(message: Message[UserBlocked] | Message[UserUnblocked], tx: MessagingTx, *, active: bool) -> None:
    body = message.body
    blocker_id, blocked_id = UUID(body.blocker_id), UUID(body.blocked_id)
    await keep_block(tx.conn, blocker_id, blocked_id, body.version, message.time, active=active)
    tx.sights += [Sight(blocker_id, blocked_id), Sight(blocked_id, blocker_id)]


async def _keep_friendship(
    message: Message[FriendshipStarted] | Message[FriendshipEnded], tx: MessagingTx, *, active: bool
) -> None:
    body = message.body
    user_id, friend_id = UUID(body.user_id), UUID(body.friend_id)
    await keep_friendship(tx.conn, user_id, friend_id, body.version, active=active)
    tx.sights += [Sight(user_id, friend_id), Sight(friend_id, user_id)]


def _account(message: Message[UserRegistered] | Message[UserProfileChanged]) -> Account:
    body = message.body
    return Account(
        user_id=UUID(body.user_id),
        version=message.aggregate_version or 0,
        display_name=body.display_name,
        locale=body.locale,
    )
