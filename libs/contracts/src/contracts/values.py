"""Between Python's values and Protobuf's: moments and amounts of money, the same in every event."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from kernel.money import Currency, Money
from sampan.types.v1 import money_pb2


def timestamp_of(at: datetime) -> Timestamp:
    """``at`` has a time zone."""
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def moment_of(stamp: Timestamp) -> datetime:
    """In UTC."""
    return stamp.ToDatetime(tzinfo=UTC)


def money_message_of(money: Money) -> money_pb2.Money:
    return money_pb2.Money(amount_minor=money.amount_minor, currency=money.currency)


def money_of(message: money_pb2.Money) -> Money:
    """Raises ``ValueError`` when the currency is unknown, ``OverflowError`` beyond the greatest amount."""
    return Money(message.amount_minor, Currency(message.currency))
