"""What costs nothing needs no payment: alone it is confirmed at once, beside what is paid it is never asked for."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from commerce.domain.ids import CheckoutId
from commerce.usecases.cancel_order import CancelOrder
from commerce.usecases.complete_order import CompleteOrder
from commerce.usecases.mark_order_paid import MarkOrderPaid
from commerce.usecases.release_stock import ReleaseStock
from commerce.wiring import App
from commerce_testing.people import variant_of
from commerce_testing.running import apply_commands, broken_invariants, pay, pay_by_version_1
from sampan.commerce.v1.order_pb2 import OrderConfirmed
from sampan.orchestrator.v1.commands_pb2 import StartOrderPayment

pytestmark = pytest.mark.component


async def on_sale(people: Any, *prices: int, on_hand: int = 10) -> list[str]:
    """A variant of a shop of its own for each price."""
    made = []
    for price_minor in prices:
        owner = people()
        shop = await owner.open_shop()
        made.append(variant_of(await owner.add_product(shop, price_minor=price_minor, on_hand=on_hand)))
    return made


async def bodies_of(app: App, *keys: str) -> dict[str, list[bytes]]:
    """Bodies in the outbox under these keys, by the type's last name."""
    async with app.database.read() as conn:
        rows = await conn.fetch("SELECT type, body FROM outbox WHERE key = ANY($1) ORDER BY id", list(keys))
    found: dict[str, list[bytes]] = {}
    for row in rows:
        found.setdefault(row["type"].rpartition(".")[2], []).append(row["body"])
    return found


async def test_it_is_confirmed_without_a_payment(app: App, people: Any, buyer: Any) -> None:
    gifts = await on_sale(people, 0, 0)
    placed = (await buyer.order(*((gift, 2) for gift in gifts))).body
    assert (placed["payment_status"], placed["total"]["amount_minor"]) == ("not_required", 0)
    assert {(order["status"], order["payment_status"]) for order in placed["orders"]} == {("confirmed", "not_required")}
    assert (await buyer.get(f"/v1/checkouts/{placed['checkout_id']}?wait_s=5")).body == placed
    orders = [order["order_id"] for order in placed["orders"]]
    said = await bodies_of(app, placed["checkout_id"], *orders)
    assert {name: len(bodies) for name, bodies in said.items()} == {"OrderPlaced": 2, "OrderConfirmed": 2}
    assert {OrderConfirmed.FromString(body).total.amount_minor for body in said["OrderConfirmed"]} == {0}
    facts = (await buyer.get(f"/v1/orders/{orders[0]}/timeline")).body["items"]
    assert [fact["kind"] for fact in facts] == ["placed", "confirmed", "payment_not_required"]
    assert await broken_invariants(app) == []


async def test_it_takes_its_stock_and_is_refused_without(app: App, people: Any, buyer: Any) -> None:
    [gift] = await on_sale(people, 0, on_hand=3)
    answers = await asyncio.gather(*(buyer.order((gift, 1)) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [202] * 3 + [409] * 5
    assert {answer.code for answer in answers if answer.status == 409} == {"commerce.stock.sold_out"}
    async with app.database.read() as conn:
        figures = await conn.fetchrow("SELECT on_hand, reserved FROM stock WHERE variant_id = $1", UUID(gift))
    assert tuple(figures or ()) == (0, 0)
    assert await broken_invariants(app) == []


async def test_from_the_cart(people: Any, buyer: Any) -> None:
    [gift] = await on_sale(people, 0, on_hand=1)
    await buyer.call("PUT", f"/v1/cart/items/{gift}", {"quantity": 2})
    assert (await buyer.order()).code == "commerce.stock.sold_out"
    assert len((await buyer.get("/v1/cart")).body["items"]) == 1
    await buyer.call("PUT", f"/v1/cart/items/{gift}", {"quantity": 1})
    assert (await buyer.order()).body["payment_status"] == "not_required"
    assert (await buyer.get("/v1/cart")).body["items"] == []


async def test_it_is_fulfilled_and_not_cancelled(app: App, people: Any, buyer: Any) -> None:
    owner = people()
    gift = variant_of(await owner.add_product(await owner.open_shop(), price_minor=0))
    placed = (await buyer.order((gift, 1))).body
    order = f"/v1/orders/{placed['orders'][0]['order_id']}"
    assert (await buyer.call("POST", f"{order}/cancel")).code == "commerce.order.not_cancellable"
    checkout_id = CheckoutId(UUID(placed["checkout_id"]))
    undone = await apply_commands(
        app, ReleaseStock(checkout_id=checkout_id), CancelOrder(checkout_id=checkout_id, reason_code="")
    )
    assert undone == ["commerce.order.already_paid"] * 2
    moved = await owner.call("POST", f"{order}/fulfilment", {"status": "processing"})
    assert (moved.status, moved.body["status"]) == (200, "processing")


@pytest.mark.parametrize("version", [1, 2])
async def test_beside_what_is_paid_no_money_is_asked_for_it(app: App, people: Any, buyer: Any, version: int) -> None:
    paid, gift = await on_sale(people, 12_900, 0)
    placed = (await buyer.order((paid, 1), (gift, 1))).body
    said = await bodies_of(app, placed["checkout_id"])
    [start] = [StartOrderPayment.FromString(body) for body in said["StartOrderPayment"]]
    assert [order.total.amount_minor for order in start.orders] == [start.total.amount_minor] == [12_900]
    checkout_id = CheckoutId(UUID(placed["checkout_id"]))
    await (pay(app, checkout_id) if version == 2 else pay_by_version_1(app, checkout_id))
    again = MarkOrderPaid(checkout_id=checkout_id), CompleteOrder(checkout_id=checkout_id)
    assert await apply_commands(app, *again) == [None, None]
    checkout = (await buyer.get(f"/v1/checkouts/{placed['checkout_id']}")).body
    assert checkout["payment_status"] == "paid"
    states = {order["total"]["amount_minor"]: order["payment_status"] for order in checkout["orders"]}
    assert states == {12_900: "paid", 0: "not_required"}
    said = await bodies_of(app, *(order["order_id"] for order in placed["orders"]))
    assert {name: len(bodies) for name, bodies in said.items()} == {
        "OrderPlaced": 2,
        "OrderConfirmed": 2,
        "OrderPaid": 1,
    }
    assert await broken_invariants(app) == []


async def test_beside_what_fails_it_fails_too(app: App, people: Any, buyer: Any) -> None:
    paid, gift = await on_sale(people, 100, 0)
    placed = (await buyer.order((paid, 1), (gift, 1))).body
    cancel = CancelOrder(checkout_id=CheckoutId(UUID(placed["checkout_id"])), reason_code="payment.limit.daily")
    assert await apply_commands(app, cancel) == [None]
    checkout = (await buyer.get(f"/v1/checkouts/{placed['checkout_id']}")).body
    assert {order["payment_status"] for order in checkout["orders"]} == {"failed"}
    assert await broken_invariants(app) == []


@pytest.mark.parametrize("price_minor", [1, 10**12])
async def test_prices_at_the_edge_are_taken(price_minor: int, people: Any, buyer: Any) -> None:
    [variant] = await on_sale(people, price_minor)
    assert (await buyer.order((variant, 1))).body["total"]["amount_minor"] == price_minor


@pytest.mark.parametrize("price_minor", [-1, 10**12 + 1, 2**53 - 1, 2**53])
async def test_prices_over_the_edge_are_refused(price_minor: int, seller: Any, shop: Any, product: Any) -> None:
    price = {"amount_minor": price_minor, "currency": "THB"}
    body = {"titles": {"en": "Dear"}, "variants": [{"sku": "D", "price": price}]}
    made = await seller.call("POST", f"/v1/shops/{shop['shop_id']}/products", body)
    change = {"prices": {variant_of(product): price}}
    changed = await seller.call("PATCH", f"/v1/products/{product['product_id']}", change, If_Match="*")
    assert {made.status, changed.status} == {422}
    assert {made.body["errors"][0]["code"], changed.body["errors"][0]["code"]} == {"field.out_of_range"}
