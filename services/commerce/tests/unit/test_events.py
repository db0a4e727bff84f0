"""Facts as Protobuf: which event each becomes, of what version, and in whose flow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from commerce.adapters.events import Events
from commerce.domain.ids import CheckoutId, ProductId, VariantId, WalletId
from commerce.domain.order import Order
from commerce.domain.product import ProductStatus
from commerce.domain.stock import Shelf
from commerce.usecases.ports import WithdrawnProduct
from commerce_testing.builders import NOW, SELLER, a_checkout, a_product, a_shop, a_stock_item, an_order
from sampan.commerce.v1.stock_pb2 import StockRanOut

CHECKOUT = CheckoutId(UUID(int=100))
FIRST, SECOND = VariantId(UUID(int=1)), VariantId(UUID(int=2))


class Outbox:
    """Remembers each body, its version, and the flow it was added in."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.versions: list[int | None] = []
        self.flows: list[UUID | None] = []
        self.flow: UUID | None = None

    def add(self, body: Any, *, aggregate_version: int | None = None) -> None:
        self.bodies.append(body)
        self.versions.append(aggregate_version)
        self.flows.append(self.flow)

    @contextmanager
    def in_flow(self, cause: UUID | None) -> Iterator[None]:
        self.flow = cause
        yield
        self.flow = None

    def types(self) -> list[str]:
        return [type(body).__name__ for body in self.bodies]


class Products:
    """Counts how often sellers are read."""

    def __init__(self) -> None:
        self.reads = 0

    async def sellers(self, product_ids: set[ProductId]) -> dict[ProductId, Any]:
        self.reads += 1
        return dict.fromkeys(product_ids, (SELLER, "Tea"))


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def products() -> Products:
    return Products()


@pytest.fixture
def events(outbox: Any, products: Any) -> Events:
    return Events(outbox, products)


def shelf_after_a_sale(on_hand: int) -> Shelf:
    """Two variants with so many units each; a checkout buys two of the first and one of the second."""
    demand = {FIRST: 2, SECOND: 1}
    shelf = Shelf([a_stock_item(each, on_hand) for each in (FIRST, SECOND)], (), NOW)
    shelf.reserve(CHECKOUT, demand, NOW)
    shelf.take(CHECKOUT, demand)
    return shelf


async def test_stock_changes_in_the_flow_of_its_checkout(events: Events, outbox: Outbox, products: Products) -> None:
    await events.stock_moved(shelf_after_a_sale(10).moved, outbox.in_flow)
    assert outbox.types() == ["StockChanged"] * 4
    assert [(body.reason, body.on_hand, body.reserved) for body in outbox.bodies] == [
        ("reserved", 10, 2),
        ("sold", 8, 0),
        ("reserved", 10, 1),
        ("sold", 9, 0),
    ]
    assert outbox.versions == [2, 3, 2, 3]
    assert outbox.flows == [CHECKOUT] * 4
    assert products.reads == 0


async def test_the_last_unit_runs_out_once(events: Events, outbox: Outbox, products: Products) -> None:
    await events.stock_moved(shelf_after_a_sale(2).moved, outbox.in_flow)
    [ran_out] = [body for body in outbox.bodies if isinstance(body, StockRanOut)]
    assert (ran_out.variant_id, ran_out.seller_id, ran_out.title) == (str(FIRST), str(SELLER), "Tea")
    assert (outbox.types()[-1], outbox.flows[-1], outbox.versions[-1]) == ("StockRanOut", CHECKOUT, None)
    assert products.reads == 1


async def test_of_nothing_that_moved_nothing_leaves(events: Events, outbox: Outbox) -> None:
    await events.stock_moved([])
    assert outbox.bodies == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (ProductStatus.ACTIVE, "ProductPublished"),
        (ProductStatus.DISCONTINUED, "ProductWithdrawn"),
        (ProductStatus.ARCHIVED, "ProductWithdrawn"),
    ],
)
def test_a_product_is_published_while_it_is_active(
    events: Events, outbox: Outbox, status: ProductStatus, expected: str
) -> None:
    events.product_changed(a_product(status=status, version=7), a_shop(), NOW)
    assert (outbox.types(), outbox.versions, outbox.bodies[0].status) == ([expected], [7], status.value)


def test_an_archived_product_is_withdrawn_as_any_other(events: Events, outbox: Outbox) -> None:
    product = a_product(status=ProductStatus.ARCHIVED, version=2)
    events.product_changed(product, a_shop(), NOW)
    events.product_withdrawn(WithdrawnProduct(product_id=product.id, shop_id=product.shop_id, version=2), NOW)
    assert outbox.bodies[0] == outbox.bodies[1]
    assert outbox.versions == [2, 2]


def moved_on(total_minor: int) -> Order:
    order = an_order(CHECKOUT, total_minor=total_minor)
    order.place(NOW)
    order.request_cancel(NOW)
    order.confirm(NOW)
    order.mark_paid(NOW)
    return order


def test_an_event_has_the_version_of_its_fact(events: Events, outbox: Outbox) -> None:
    events.order_moved(moved_on(100))
    assert outbox.types() == ["OrderConfirmed", "OrderPaid"]
    assert outbox.versions == [3, 4]


def test_nothing_is_said_of_a_payment_that_is_not_required(events: Events, outbox: Outbox) -> None:
    events.order_moved(moved_on(0))
    assert outbox.types() == ["OrderConfirmed"]


def test_a_cancel_says_why(events: Events, outbox: Outbox) -> None:
    order = an_order(CHECKOUT)
    order.cancel("buyer", NOW)
    events.order_moved(order)
    assert (outbox.types(), outbox.bodies[0].reason_code) == (["OrderCancelled"], "buyer")


@pytest.mark.parametrize("wallet_id", [None, WalletId(uuid4())])
def test_only_what_costs_something_is_to_be_paid(events: Events, outbox: Outbox, wallet_id: WalletId | None) -> None:
    paid, gift = an_order(CHECKOUT), replace(an_order(CHECKOUT), total_minor=0)
    events.start_payment(a_checkout(CHECKOUT, {FIRST: 1}), [paid, gift], wallet_id)
    [start] = outbox.bodies
    assert [(order.order_id, order.total.amount_minor) for order in start.orders] == [(str(paid.id), 100)]
    assert start.wallet_id == (str(wallet_id) if wallet_id else "")
