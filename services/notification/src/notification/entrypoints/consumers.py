"""Which domain events tell whom what: each handler turns one record into notifications."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from contracts.cancel_reasons import BUYER
from eventing import Message, Subscriptions
from kernel.money import Currency
from kernel.money import Money as KernelMoney
from notification.adapters.template_gateway import money_param
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient
from notification.usecases.end_account import EndAccount, end_account
from notification.usecases.notify_person import Notify, notify
from notification.usecases.ports import NotificationTx
from notification.usecases.send_code import SendCode, send_code
from notification.wiring import PgNotificationTx
from sampan.auth.v1.user_pb2 import UserDeleted, UserProfileChanged, UserRegistered
from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderConfirmed, OrderPaid, OrderStatusChanged
from sampan.commerce.v1.stock_pb2 import StockRanOut
from sampan.notification.v1.commands_pb2 import SendOtp
from sampan.payment.v1.top_up_pb2 import TopUpCompleted, TopUpFailed, TopUpInReview, TopUpReturned
from sampan.payment.v1.transfer_pb2 import TransferCompleted
from sampan.types.v1.money_pb2 import Money

subscriptions: Subscriptions[PgNotificationTx] = Subscriptions("notification", rest_s=0.1)


@subscriptions.on(UserRegistered)
async def on_user_registered(message: Message[UserRegistered], tx: NotificationTx) -> None:
    await _remember(message, tx)
    await _tell(message, tx, message.body.user_id, "welcome")


@subscriptions.on(UserProfileChanged)
async def on_user_profile_changed(message: Message[UserProfileChanged], tx: NotificationTx) -> None:
    await _remember(message, tx)


@subscriptions.on(UserDeleted)
async def on_user_deleted(message: Message[UserDeleted], tx: NotificationTx) -> None:
    ended_at = message.body.deleted_at.ToDatetime(UTC) if message.body.HasField("deleted_at") else message.time
    await end_account(EndAccount(user_id=UUID(message.body.user_id), ended_at=ended_at), tx)


@subscriptions.on(OrderPaid)
async def on_order_paid(message: Message[OrderPaid], tx: NotificationTx) -> None:
    await _tell_of_order(message, tx, message.body.buyer_id, "order_paid")
    await _tell_of_order(message, tx, message.body.seller_id, "order_received")


@subscriptions.on(OrderConfirmed)
async def on_order_confirmed(message: Message[OrderConfirmed], tx: NotificationTx) -> None:
    """What costs nothing is never paid; of all else people hear when it is."""
    if message.body.total.amount_minor == 0:
        await _tell_of_order(message, tx, message.body.buyer_id, "order_confirmed")
        await _tell_of_order(message, tx, message.body.seller_id, "order_received")


@subscriptions.on(OrderCancelled)
async def on_order_cancelled(message: Message[OrderCancelled], tx: NotificationTx) -> None:
    reason_code = message.body.reason_code
    await _tell_of_order(message, tx, message.body.buyer_id, "order_cancelled", reason_code=reason_code)
    if reason_code == BUYER:
        await _tell_of_order(message, tx, message.body.seller_id, "order_cancelled_seller")


@subscriptions.on(OrderStatusChanged)
async def on_order_status_changed(message: Message[OrderStatusChanged], tx: NotificationTx) -> None:
    if message.body.status in {"processing", "shipped", "delivered"}:
        await _tell_of_order(message, tx, message.body.buyer_id, f"order_{message.body.status}")


@subscriptions.on(TransferCompleted)
async def on_transfer_completed(message: Message[TransferCompleted], tx: NotificationTx) -> None:
    amount = _display(message.body.amount)
    await _tell(message, tx, message.body.recipient_id, "money_received", amount=amount)
    await _tell(message, tx, message.body.sender_id, "money_sent", amount=amount)


@subscriptions.on(TopUpCompleted)
async def on_top_up_completed(message: Message[TopUpCompleted], tx: NotificationTx) -> None:
    await _tell(message, tx, message.body.user_id, "top_up_completed", amount=_display(message.body.amount))


@subscriptions.on(TopUpFailed)
async def on_top_up_failed(message: Message[TopUpFailed], tx: NotificationTx) -> None:
    await _tell(message, tx, message.body.user_id, "top_up_failed", amount=_display(message.body.amount))


@subscriptions.on(TopUpInReview)
async def on_top_up_in_review(message: Message[TopUpInReview], tx: NotificationTx) -> None:
    await _tell(message, tx, message.body.user_id, "top_up_in_review", amount=_display(message.body.amount))


@subscriptions.on(TopUpReturned)
async def on_top_up_returned(message: Message[TopUpReturned], tx: NotificationTx) -> None:
    await _tell(message, tx, message.body.user_id, "top_up_returned", amount=_display(message.body.amount))


@subscriptions.on(StockRanOut)
async def on_stock_ran_out(message: Message[StockRanOut], tx: NotificationTx) -> None:
    await _tell(
        message,
        tx,
        message.body.seller_id,
        "stock_ran_out",
        action_url=f"/products/{message.body.product_id}",
        product_title=message.body.title,
    )


@subscriptions.on(SendOtp)
async def on_send_otp(message: Message[SendOtp], tx: NotificationTx) -> None:
    body = message.body
    await send_code(
        SendCode(
            otp_id=UUID(body.otp_id),
            channel=Channel(body.channel),
            destination=body.destination,
            code=body.code,
            locale=body.locale,
            purpose=body.purpose,
            now=datetime.now(UTC),
            expires_at=body.expires_at.ToDatetime(UTC),
        ),
        tx,
    )


async def _remember(message: Message[UserRegistered] | Message[UserProfileChanged], tx: NotificationTx) -> None:
    body = message.body
    recipient = Recipient(
        user_id=UUID(body.user_id),
        display_name=body.display_name,
        locale=body.locale,
        time_zone=body.time_zone,
        email=body.email,
        phone_e164=body.phone_e164,
        email_proved=body.email_verified if body.HasField("email_verified") else None,
        phone_proved=body.phone_verified if body.HasField("phone_verified") else None,
    )
    await tx.recipients.put(recipient, version=message.aggregate_version or 0)


async def _tell_of_order(
    message: Message[Any],
    tx: NotificationTx,
    user_id: str,
    notification_type: str,
    **more: object,
) -> None:
    body = message.body
    if not isinstance(body, OrderStatusChanged):
        more["total"] = _display(body.total)
    await _tell(
        message,
        tx,
        user_id,
        notification_type,
        action_url=f"/orders/{body.order_id}",
        order_number=body.order_number,
        shop_name=body.shop_name,
        **more,
    )


async def _tell(
    message: Message[Any],
    tx: NotificationTx,
    user_id: str,
    notification_type: str,
    *,
    action_url: str = "",
    **params: object,
) -> None:
    await notify(
        Notify(
            source_id=message.id,
            user_id=UUID(user_id),
            notification_type=notification_type,
            now=datetime.now(UTC),
            action_url=action_url,
            params=params,
        ),
        tx,
    )


def _display(amount: Money) -> Mapping[str, Any]:
    """As it is kept until it is shown, in the reader's language."""
    return money_param(KernelMoney(amount.amount_minor, Currency(amount.currency)))
