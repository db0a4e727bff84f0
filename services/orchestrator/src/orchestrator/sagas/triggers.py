"""Which records start a saga or cancel one, and what they must hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message

from contracts.cancel_reasons import BUYER
from kernel.errors import DomainError, Kind
from kernel.money import Currency
from sampan.orchestrator.v1.commands_pb2 import CancelOrderPayment, StartOrderPayment


class MalformedRecordError(DomainError):
    """A record that cannot start, answer or cancel a saga."""

    code, kind = "orchestrator.record.malformed", Kind.MALFORMED
    title = "The record cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """How a record of one type becomes a saga's input. ``check`` raises ``MalformedRecordError``."""

    saga_type: str
    business_key: Callable[[Any], str]
    check: Callable[[Any], None]
    cancel_code: Callable[[Any], str] | None = None  # None: it starts the saga


def _check_start(body: StartOrderPayment) -> None:
    for name in ("checkout_id", "buyer_id"):
        _check_uuid(getattr(body, name), name)
    if body.wallet_id:
        _check_uuid(body.wallet_id, "wallet_id")
    if not body.orders:
        raise MalformedRecordError("orders is empty")
    for order in body.orders:
        _check_uuid(order.order_id, "order_id")
        _check_uuid(order.seller_id, "seller_id")
    amounts = [order.total for order in body.orders]
    if any(amount.amount_minor < 0 for amount in amounts):
        raise MalformedRecordError("an amount is negative")
    if {amount.currency for amount in amounts} != {body.total.currency} or (
        body.total.currency not in Currency.__members__
    ):
        raise MalformedRecordError("the currencies differ or are unknown")
    if sum(amount.amount_minor for amount in amounts) != body.total.amount_minor:
        raise MalformedRecordError("the orders do not add up to the total")


def _check_cancel(body: CancelOrderPayment) -> None:
    _check_uuid(body.checkout_id, "checkout_id")


def _check_uuid(text: str, field: str) -> None:
    try:
        UUID(text)
    except ValueError:
        raise MalformedRecordError(f"{field} is not a UUID") from None


TRIGGERS: Final[Mapping[type[Message], Trigger]] = {
    StartOrderPayment: Trigger(
        saga_type="order_payment", business_key=lambda body: str(UUID(body.checkout_id)), check=_check_start
    ),
    CancelOrderPayment: Trigger(
        saga_type="order_payment",
        business_key=lambda body: str(UUID(body.checkout_id)),
        check=_check_cancel,
        cancel_code=lambda body: str(body.reason) or BUYER,
    ),
}
