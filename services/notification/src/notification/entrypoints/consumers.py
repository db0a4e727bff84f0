"""Which record notifies whom of what: each handler turns one into commands of the use cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from contracts.cancel_reasons import BUYER
from contracts.values import moment_of, money_of
from eventing import Message, Subscriptions
from notification.adapters.transaction import NotificationTx
from notification.domain.ids import UserId
from notification.domain.notification import Channel, money_param
from notification.domain.recipient import Recipient
from notification.usecases.end_account import EndAccount, end_account
from notification.usecases.notify_person import NotifyPerson, notify_person
from notification.usecases.ports import Tx
from notification.usecases.record_recipient import RecordRecipient, record_recipient
from notification.usecases.send_code import SendCode, send_code
from notification.wiring import NAME
from sampan.auth.v1.user_pb2 import UserDeleted, UserProfileChanged, UserRegistered
from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderConfirmed, OrderPaid, OrderStatusChanged
from sampan.commerce.v1.stock_pb2 import StockRanOut
from sampan.notification.v1.commands_pb2 import SendOtp
from sampan.payment.v1.top_up_pb2 import TopUpCompleted, TopUpFailed, TopUpInReview, TopUpReturned
from sampan.payment.v1.transfer_pb2 import TransferCompleted
from sampan.types.v1.money_pb2 import Money

_TOP_UPS: Final[Mapping[type[Any], str]] = {
    TopUpCompleted: "top_up_completed",
    TopUpFailed: "top_up_failed",
    TopUpInReview: "top_up_in_review",
    TopUpReturned: "top_up_returned",
}
subscriptions: Subscriptions[NotificationTx] = Subscriptions(NAME, rest_s=0.1)


@subscriptions.on(UserRegistered)
async def on_user_registered(message: Message[UserRegistered], tx: Tx) -> None:
    await _record_recipient(message, tx)
    await _notify(message, tx, message.body.user_id, "welcome")


@subscriptions.on(UserProfileChanged)
async def on_user_profile_changed(message: Message[UserProfileChanged], tx: Tx) -> None:
    await _record_recipient(message, tx)


@subscriptions.on(UserDeleted)
async def on_user_deleted(message: Message[UserDeleted], tx: Tx) -> None:
    ended_at = moment_of(message.body.deleted_at) if message.body.HasField("deleted_at") else message.time
    await end_account(EndAccount(user_id=UserId(UUID(message.body.user_id)), ended_at=ended_at), tx)


@subscriptions.on(OrderPaid)
async def on_order_paid(message: Message[OrderPaid], tx: Tx) -> None:
    await _notify_of_order(message, tx, message.body.buyer_id, "order_paid")
    await _notify_of_order(message, tx, message.body.seller_id, "order_received")


@subscriptions.on(OrderConfirmed)
async def on_order_confirmed(message: Message[OrderConfirmed], tx: Tx) -> None:
    """Only of an order that costs nothing: of all others people are notified when they are paid."""
    if message.body.total.amount_minor == 0:
        await _notify_of_order(message, tx, message.body.buyer_id, "order_confirmed")
        await _notify_of_order(message, tx, message.body.seller_id, "order_received")


@subscriptions.on(OrderCancelled)
async def on_order_cancelled(message: Message[OrderCancelled], tx: Tx) -> None:
    reason_code = message.body.reason_code
    await _notify_of_order(message, tx, message.body.buyer_id, "order_cancelled", reason_code=reason_code)
    if reason_code == BUYER:
        await _notify_of_order(message, tx, message.body.seller_id, "order_cancelled_seller")


@subscriptions.on(OrderStatusChanged)
async def on_order_status_changed(message: Message[OrderStatusChanged], tx: Tx) -> None:
    if message.body.status in {"processing", "shipped", "delivered"}:
        await _notify_of_order(message, tx, message.body.buyer_id, f"order_{message.body.status}")


@subscriptions.on(TransferCompleted)
async def on_transfer_completed(message: Message[TransferCompleted], tx: Tx) -> None:
    amount = _amount(message.body.amount)
    await _notify(message, tx, message.body.recipient_id, "money_received", amount=amount)
    await _notify(message, tx, message.body.sender_id, "money_sent", amount=amount)


async def on_top_up(message: Message[Any], tx: Tx) -> None:
    body = message.body
    await _notify(message, tx, body.user_id, _TOP_UPS[type(body)], amount=_amount(body.amount))


for _body in _TOP_UPS:
    subscriptions.on(_body)(on_top_up)


@subscriptions.on(StockRanOut)
async def on_stock_ran_out(message: Message[StockRanOut], tx: Tx) -> None:
    body = message.body
    url = f"/products/{body.product_id}"
    await _notify(message, tx, body.seller_id, "stock_ran_out", action_url=url, product_title=body.title)


@subscriptions.on(SendOtp)
async def on_send_otp(message: Message[SendOtp], tx: Tx) -> None:
    body = message.body
    await send_code(
        SendCode(
            otp_id=UUID(body.otp_id),
            channel=Channel(body.channel),
            destination=body.destination,
            code=body.code,
            locale=body.locale,
            purpose=body.purpose,
            expires_at=moment_of(body.expires_at),
        ),
        tx,
    )


async def _record_recipient(message: Message[UserRegistered] | Message[UserProfileChanged], tx: Tx) -> None:
    body = message.body
    recipient = Recipient(
        user_id=UserId(UUID(body.user_id)),
        display_name=body.display_name,
        locale=body.locale,
        time_zone=body.time_zone,
        email=body.email,
        phone_e164=body.phone_e164,
        email_proved=body.email_verified if body.HasField("email_verified") else None,
        phone_proved=body.phone_verified if body.HasField("phone_verified") else None,
    )
    await record_recipient(RecordRecipient(recipient=recipient, version=message.aggregate_version or 0), tx)


async def _notify_of_order(message: Message[Any], tx: Tx, user_id: str, notification_type: str, **more: object) -> None:
    body = message.body
    more |= {"order_number": body.order_number, "shop_name": body.shop_name}
    if not isinstance(body, OrderStatusChanged):
        more["total"] = _amount(body.total)
    await _notify(message, tx, user_id, notification_type, action_url=f"/orders/{body.order_id}", **more)


async def _notify(
    message: Message[Any], tx: Tx, user_id: str, notification_type: str, *, action_url: str = "", **params: object
) -> None:
    command = NotifyPerson(
        source_id=message.id,
        user_id=UserId(UUID(user_id)),
        notification_type=notification_type,
        action_url=action_url,
        params=params,
    )
    await notify_person(command, tx)


def _amount(amount: Money) -> Mapping[str, object]:
    """As a notification holds it: written in the reader's language when it is shown."""
    return money_param(money_of(amount))
