"""ORD-1..3: every transition from every state."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from commerce.domain.ids import CheckoutId, OrderId, ShopId, UserId
from commerce.domain.order import (
    FactKind,
    FulfilmentRefusedError,
    Order,
    OrderAlreadyPaidError,
    OrderCancelledError,
    OrderNotConfirmedError,
    OrderStatus,
    PaymentStatus,
)
from kernel.country import Country
from kernel.money import Currency

AT = datetime(2026, 11, 21, tzinfo=UTC)


def placed() -> Order:
    order = Order(
        id=OrderId(uuid4()),
        number="TH-26-000001",
        checkout_id=CheckoutId(uuid4()),
        buyer_id=UserId(uuid4()),
        shop_id=ShopId(uuid4()),
        shop_name="Shop",
        seller_id=UserId(uuid4()),
        country=Country.TH,
        currency=Currency.THB,
        total_minor=100,
    )
    order.place(AT)
    return order


def confirmed() -> Order:
    order = placed()
    order.confirm(AT)
    return order


def paid() -> Order:
    order = confirmed()
    order.mark_paid(AT)
    return order


def cancelled() -> Order:
    order = placed()
    order.cancel("buyer", AT)
    return order


def test_the_way_to_delivered() -> None:
    order = paid()
    for status in (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        order.fulfil(status, AT)
    assert order.status is OrderStatus.DELIVERED
    assert [fact.kind for fact in order.facts] == [
        FactKind.PLACED,
        FactKind.CONFIRMED,
        FactKind.PAID,
        FactKind.PROCESSING,
        FactKind.SHIPPED,
        FactKind.DELIVERED,
    ]
    assert [fact.version for fact in order.facts] == list(range(1, order.version + 1))


def test_doing_again_adds_no_fact() -> None:
    order = paid()
    facts = len(order.facts)
    order.confirm(AT)
    order.mark_paid(AT)
    assert len(order.facts) == facts
    gone = cancelled()
    facts = len(gone.facts)
    gone.cancel("other", AT)
    assert (len(gone.facts), gone.cancel_reason) == (facts, "buyer")


def test_a_cancelled_order_is_never_confirmed_or_paid() -> None:
    with pytest.raises(OrderCancelledError):
        cancelled().confirm(AT)
    with pytest.raises(OrderNotConfirmedError):
        cancelled().mark_paid(AT)
    assert cancelled().payment_status is PaymentStatus.FAILED


def test_a_pending_order_is_not_paid() -> None:
    with pytest.raises(OrderNotConfirmedError):
        placed().mark_paid(AT)


def test_a_paid_order_is_not_cancelled() -> None:
    with pytest.raises(OrderAlreadyPaidError):
        paid().cancel("buyer", AT)


def test_a_confirmed_unpaid_order_can_still_be_compensated() -> None:
    order = confirmed()
    order.cancel("operator", AT)
    assert order.status is OrderStatus.CANCELLED


@pytest.mark.parametrize("make", [placed, confirmed, cancelled])
@pytest.mark.parametrize("status", [OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED])
def test_only_a_paid_order_is_fulfilled(make: object, status: OrderStatus) -> None:
    order = make()  # type: ignore[operator]
    with pytest.raises(FulfilmentRefusedError):
        order.fulfil(status, AT)


def test_no_step_is_skipped_or_taken_back() -> None:
    order = paid()
    with pytest.raises(FulfilmentRefusedError):
        order.fulfil(OrderStatus.SHIPPED, AT)
    order.fulfil(OrderStatus.PROCESSING, AT)
    order.fulfil(OrderStatus.SHIPPED, AT)
    with pytest.raises(FulfilmentRefusedError):
        order.fulfil(OrderStatus.PROCESSING, AT)
