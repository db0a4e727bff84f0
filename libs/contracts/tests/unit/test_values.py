from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.values import moment_of, money_message_of, money_of, timestamp_of
from kernel.money import AMOUNT_MINOR_MAX, Currency, Money
from sampan.types.v1 import money_pb2


def test_a_moment_keeps_its_microseconds_and_comes_back_in_utc() -> None:
    at = datetime(2026, 11, 28, 19, 0, 0, 123456, tzinfo=timezone(timedelta(hours=7)))
    assert moment_of(timestamp_of(at)) == at
    assert moment_of(timestamp_of(at)).tzinfo is UTC


@pytest.mark.parametrize("amount_minor", [0, 1, -1, AMOUNT_MINOR_MAX])
def test_money_comes_back(amount_minor: int) -> None:
    money = Money(amount_minor, Currency.THB)
    assert money_of(money_message_of(money)) == money


def test_money_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="XXX"):
        money_of(money_pb2.Money(amount_minor=1, currency="XXX"))
    with pytest.raises(OverflowError):
        money_of(money_pb2.Money(amount_minor=AMOUNT_MINOR_MAX + 1, currency="THB"))
