"""Which record notifies whom of what: each handler turns one into commands of the use cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from contracts.cancel_reasons import BUYER
from contracts.values import moment_of, money_of
from eventing import Message, Subscriptions, flows_of
from notification.adapters.transaction import NotificationTx
from notification.domain.ids import UserId
from notification.domain.notification import Channel, money_param
from notification.domain.recipient import Recipient
from notification.usecases.end_account import EndAccount, end_account
from notification.usecases.notify_people import NotifyPeople, NotifyPerson, notify_people
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
    await notify_people(NotifyPeople([_notify(message, message.body.user_id, "welcome")]), tx)


@subscriptions.on(UserProfileChanged)
async def on_user_profile_changed(message: Message[UserProfileChanged], tx: Tx) -> None:
    await _record_recipient(message, tx)


@subscriptions.on(UserDeleted)
async def on_user_deleted(message: Message[UserDeleted], tx: Tx) -> None:
    ended_at = moment_of(message.body.deleted_at) if message.body.HasField("deleted_at") else message.time
    await end_account(EndAccount(user_id=UserId(UUID(message.body.user_id)), ended_at=ended_at), tx)


@subscriptions.on_batch(
    OrderPaid, OrderConfirmed, OrderCancelled, OrderStatusChanged, TransferCompleted, *_TOP_UPS, StockRanOut
)
async def on_news(messages: Sequence[Message[Any]], tx: Tx) -> None:
    causes = {message.id: message for message in messages}
    people = [person for message in messages for person in _told_by(message)]
    await notify_people(NotifyPeople(people, flows_of(causes)), tx)


def _told_by(message: Message[Any]) -> Iterator[NotifyPerson]:
    body = message.body
    match body:
        case OrderPaid():
            yield _of_order(message, body.buyer_id, "order_paid")
            yield _of_order(message, body.seller_id, "order_received")
        case OrderConfirmed() if body.total.amount_minor == 0:  # of all others people are notified when they are paid
            yield _of_order(message, body.buyer_id, "order_confirmed")
            yield _of_order(message, body.seller_id, "order_received")
        case OrderCancelled():
            yield _of_order(message, body.buyer_id, "order_cancelled", reason_code=body.reason_code)
            if body.reason_code == BUYER:
                yield _of_order(message, body.seller_id, "order_cancelled_seller")
        case OrderStatusChanged() if body.status in {"processing", "shipped", "delivered"}:
            yield _of_order(message, body.buyer_id, f"order_{body.status}")
        case TransferCompleted():
            amount = _amount(body.amount)
            yield _notify(message, body.recipient_id, "money_received", amount=amount)
            yield _notify(message, body.sender_id, "money_sent", amount=amount)
        case StockRanOut():
            url = f"/products/{body.product_id}"
            yield _notify(message, body.seller_id, "stock_ran_out", action_url=url, product_title=body.title)
        case _ if type(body) in _TOP_UPS:
            yield _notify(message, body.user_id, _TOP_UPS[type(body)], amount=_amount(body.amount))


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


def _of_order(message: Message[Any], user_id: str, notification_type: str, **more: object) -> NotifyPerson:
    body = message.body
    more |= {"order_number": body.order_number, "shop_name": body.shop_name}
    if not isinstance(body, OrderStatusChanged):
        more["total"] = _amount(body.total)
    return _notify(message, user_id, notification_type, action_url=f"/orders/{body.order_id}", **more)


def _notify(
    message: Message[Any], user_id: str, notification_type: str, *, action_url: str = "", **params: object
) -> NotifyPerson:
    return NotifyPerson(
        source_id=message.id,
        user_id=UserId(UUID(user_id)),
        notification_type=notification_type,
        action_url=action_url,
        params=params,
    )


def _amount(amount: Money) -> Mapping[str, object]:
    """As a notification holds it: written in the reader's language when it is shown."""
    return money_param(money_of(amount))
