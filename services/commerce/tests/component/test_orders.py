"""Carts and placing: prices rechecked, one order per shop, once per key, and nobody else's business."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from commerce.domain.ids import CheckoutId
from commerce.usecases.cancel_order import CancelOrder
from commerce.usecases.complete_order import CompleteOrder
from commerce.wiring import App
from commerce_testing.people import variant_of
from commerce_testing.running import apply_commands, pay
from commerce_testing.selling import stock_of
from kernel.country import Country

pytestmark = pytest.mark.component


async def count(app: App, table: str, buyer_id: UUID) -> int:
    async with app.database.read() as conn:
        return int(await conn.fetchval(f"SELECT count(*) FROM {table} WHERE buyer_id = $1", buyer_id))


async def test_a_mixed_cart_becomes_one_order_per_shop(app: App, people: Any, buyer: Any) -> None:
    products = []
    for price_minor in (10_700, 5_350):
        owner = people()
        shop = await owner.open_shop()
        products.append(await owner.add_product(shop, price_minor=price_minor))
    for product in products:
        put = await buyer.call("PUT", f"/v1/cart/items/{variant_of(product)}", {"quantity": 2})
        assert put.status == 200
    cart = (await buyer.get("/v1/cart")).body
    assert cart["subtotals"] == [{"amount_minor": 32_100, "currency": "THB"}]
    placed = (await buyer.order()).body
    assert placed["total"]["amount_minor"] == 32_100
    assert sorted(order["tax"]["amount_minor"] for order in placed["orders"]) == [700, 1_400]
    assert len({order["shop_id"] for order in placed["orders"]}) == 2
    assert len({order["number"] for order in placed["orders"]}) == 2
    assert (await buyer.get("/v1/cart")).body["items"] == []
    await pay(app, CheckoutId(UUID(placed["checkout_id"])))
    paid = (await buyer.get(f"/v1/checkouts/{placed['checkout_id']}")).body
    assert {order["payment_status"] for order in paid["orders"]} == {"paid"}
    empty = await buyer.order()
    assert (empty.status, empty.code) == (422, "commerce.order.empty")


async def test_a_changed_price_is_seen_before_it_is_paid(seller: Any, buyer: Any, product: Any) -> None:
    item = f"/v1/cart/items/{variant_of(product)}"
    await buyer.call("PUT", item, {"quantity": 1})
    prices = {variant_of(product): {"amount_minor": 12_000, "currency": "THB"}}
    await seller.call("PATCH", f"/v1/products/{product['product_id']}", {"prices": prices}, If_Match="*")
    [seen] = (await buyer.get("/v1/cart")).body["items"]
    assert (seen["price"]["amount_minor"], seen["price_now"]["amount_minor"]) == (10_000, 12_000)
    assert seen["price_changed"]
    refused = await buyer.order()
    assert (refused.status, refused.code) == (409, "commerce.cart.price_changed")
    await buyer.call("PUT", item, {"quantity": 1})
    assert (await buyer.order()).body["total"]["amount_minor"] == 12_000


async def test_placing_twice_with_one_key_is_once(app: App, buyer: Any, product: Any) -> None:
    key = uuid4().hex
    first = await buyer.order((variant_of(product), 1), key=key)
    again = await buyer.order((variant_of(product), 1), key=key)
    assert (first.status, again.status) == (202, 202)
    assert first.body == again.body
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await buyer.order((variant_of(product), 2), key=key)
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    bare = await buyer.call("POST", "/v1/orders", {"lines": [{"variant_id": variant_of(product), "quantity": 1}]})
    assert (bare.status, bare.code) == (400, "idempotency_key_missing")
    assert await count(app, "orders", buyer.id) == 1


async def test_placing_at_once_with_one_key_is_once(app: App, buyer: Any, product: Any) -> None:
    key = uuid4().hex
    answers = await asyncio.gather(*(buyer.order((variant_of(product), 1), key=key) for _ in range(8)))
    assert {answer.status for answer in answers} <= {202, 409}
    assert await count(app, "checkout", buyer.id) == 1


async def test_another_persons_order_is_not_there(app: App, people: Any, buyer: Any, product: Any) -> None:
    placed = (await buyer.order((variant_of(product), 1))).body
    order = f"/v1/orders/{placed['orders'][0]['order_id']}"
    stranger = people()
    for answer in (
        await stranger.get(order),
        await stranger.get(f"{order}?wait_s=1"),
        await stranger.get(f"{order}/timeline"),
        await stranger.get(f"/v1/checkouts/{placed['checkout_id']}"),
        await stranger.get(f"/v1/checkouts/{placed['checkout_id']}?wait_s=1"),
        await stranger.call("POST", f"{order}/cancel"),
        await stranger.call("POST", f"{order}/fulfilment", {"status": "processing"}),
        await stranger.get(f"/v1/orders/{uuid4()}"),
    ):
        assert answer.status == 404, answer
    assert (await stranger.get("/v1/orders")).body["items"] == []


async def test_the_second_wall_hides_rows_from_a_forgetful_query(
    app: App, people: Any, buyer: Any, product: Any
) -> None:
    await buyer.call("PUT", f"/v1/cart/items/{variant_of(product)}", {"quantity": 1})
    await buyer.place((variant_of(product), 1))
    for table in ("orders", "checkout", "cart_item"):
        async with app.database.read(user_id=people().id) as conn:
            assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 0
        async with app.database.read(user_id=buyer.id) as conn:
            assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 1


async def test_the_seller_sees_and_moves_the_order_and_the_buyer_does_not(
    app: App, seller: Any, buyer: Any, shop: Any, product: Any
) -> None:
    placed = (await buyer.order((variant_of(product), 1))).body
    order = f"/v1/orders/{placed['orders'][0]['order_id']}"
    early = await seller.call("POST", f"{order}/fulfilment", {"status": "processing"})
    assert (early.status, early.code) == (409, "commerce.order.fulfilment_refused")
    await pay(app, CheckoutId(UUID(placed["checkout_id"])))
    assert (await seller.get(order)).status == 200
    [sold] = (await seller.get(f"/v1/shops/{shop['shop_id']}/orders?status=confirmed")).body["items"]
    assert sold["order_id"] == placed["orders"][0]["order_id"]
    forbidden = await buyer.call("POST", f"{order}/fulfilment", {"status": "processing"})
    assert (forbidden.status, forbidden.code) == (403, "commerce.shop.not_owner")
    skipped = await seller.call("POST", f"{order}/fulfilment", {"status": "delivered"})
    assert skipped.code == "commerce.order.fulfilment_refused"
    assert (await seller.get(f"/v1/checkouts/{placed['checkout_id']}")).status == 404


async def test_cancel_is_granted_once_and_the_completion_is_refused(app: App, buyer: Any, product: Any) -> None:
    placed = (await buyer.order((variant_of(product), 1))).body
    checkout_id = CheckoutId(UUID(placed["checkout_id"]))
    path = f"/v1/orders/{placed['orders'][0]['order_id']}"
    for _ in range(2):
        answer = await buyer.call("POST", f"{path}/cancel")
        assert (answer.status, answer.body["status"]) == (202, "pending")
    async with app.database.read() as conn:
        types = await conn.fetch("SELECT type FROM outbox WHERE key = $1 ORDER BY id", str(checkout_id))
    assert [row["type"].rpartition(".")[2] for row in types] == ["StartOrderPayment", "CancelOrderPayment"]
    [code] = await apply_commands(app, CompleteOrder(checkout_id=checkout_id))
    assert code == "commerce.order.cancel_requested"
    assert await apply_commands(app, CancelOrder(checkout_id=checkout_id, reason_code=code)) == [None]
    assert await stock_of(app, product) == (10, 0)
    seen = (await buyer.get(path, Accept_Language="th")).body
    assert (seen["status"], seen["cancel_reason_code"]) == ("cancelled", "buyer")
    assert seen["cancel_reason"].startswith("คุณยกเลิก")
    assert (await buyer.call("POST", f"{path}/cancel")).status == 202


async def test_a_paid_order_is_not_cancelled(app: App, buyer: Any, product: Any) -> None:
    placed = (await buyer.order((variant_of(product), 1))).body
    await pay(app, CheckoutId(UUID(placed["checkout_id"])))
    late = await buyer.call("POST", f"/v1/orders/{placed['orders'][0]['order_id']}/cancel")
    assert (late.status, late.code) == (409, "commerce.order.not_cancellable")


async def test_waiting_ends_when_the_payment_does(app: App, buyer: Any, product: Any) -> None:
    placed = (await buyer.order((variant_of(product), 1))).body
    path = f"/v1/checkouts/{placed['checkout_id']}?wait_s=10"
    loop = asyncio.get_running_loop()
    started = loop.time()
    waiting = asyncio.create_task(buyer.get(path))
    await pay(app, CheckoutId(UUID(placed["checkout_id"])))
    answer = await waiting
    assert answer.body["status"] == "paid"
    assert loop.time() - started < 9


async def test_what_was_sold_stays_what_it_was(seller: Any, buyer: Any, product: Any) -> None:
    placed = (await buyer.order((variant_of(product), 1), ship_to=ADDRESS)).body
    change = {
        "titles": {"en": "Other"},
        "prices": {variant_of(product): {"amount_minor": 1, "currency": "THB"}},
    }
    await seller.call("PATCH", f"/v1/products/{product['product_id']}", change, If_Match="*")
    order = (await buyer.get(f"/v1/orders/{placed['orders'][0]['order_id']}")).body
    assert order["lines"][0]["title"] == "Hand-woven silk scarf"
    assert order["lines"][0]["unit_price"]["amount_minor"] == 10_000
    assert order["ship_to"] == {**ADDRESS, "line2": "", "region": ""}


async def test_lists_of_orders_page(buyer: Any, product: Any) -> None:
    placed = [(await buyer.order((variant_of(product), 1))).body["orders"][0]["order_id"] for _ in range(5)]
    first = (await buyer.get("/v1/orders?limit=3")).body
    await buyer.place((variant_of(product), 1))
    second = (await buyer.get(f"/v1/orders?limit=3&cursor={first['next_cursor']}")).body
    seen = [item["order_id"] for item in (*first["items"], *second["items"])]
    assert seen == list(reversed(placed))
    assert second["next_cursor"] is None


async def test_two_currencies_are_not_paid_together(people: Any, buyer: Any, product: Any) -> None:
    owner = people(Country.VN)
    foreign = await owner.add_product(await owner.open_shop())
    answer = await buyer.order((variant_of(product), 1), (variant_of(foreign), 1))
    assert (answer.status, answer.code) == (422, "commerce.checkout.currencies_mixed")
    assert answer.body["title"]


async def test_the_same_variant_on_two_lines_is_one_demand(app: App, buyer: Any, product: Any) -> None:
    refused = await buyer.order((variant_of(product), 6), (variant_of(product), 5))
    assert (refused.status, refused.code) == (409, "commerce.stock.sold_out")
    placed = (await buyer.order((variant_of(product), 6), (variant_of(product), 4))).body
    [line] = placed["orders"][0]["lines"]
    assert line["quantity"] == 10
    assert await stock_of(app, product) == (10, 10)


async def test_who_was_told_sold_out_has_no_order_and_asks_again_with_another_key(
    app: App, seller: Any, shop: Any, buyer: Any
) -> None:
    product = await seller.add_product(shop, on_hand=1)
    key, stock = uuid4().hex, f"/v1/products/{product['product_id']}/variants/{variant_of(product)}/stock"
    refused = await buyer.order((variant_of(product), 2), key=key)
    assert (refused.status, refused.code) == (409, "commerce.stock.sold_out")
    assert refused.body["context"] == {"variant_ids": [variant_of(product)]}
    assert await count(app, "checkout", buyer.id) == await count(app, "orders", buyer.id) == 0
    assert await stock_of(app, product) == (1, 0)
    assert (await seller.call("PUT", stock, {"on_hand": 2}, If_Match="*")).status == 200
    replayed = await buyer.order((variant_of(product), 2), key=key)
    assert (replayed.status, replayed.headers["Idempotency-Replayed"]) == (409, "true")
    assert (await buyer.order((variant_of(product), 2))).status == 202
    assert await stock_of(app, product) == (2, 2)


async def test_what_is_not_for_sale(seller: Any, buyer: Any, product: Any) -> None:
    await seller.call("PATCH", f"/v1/products/{product['product_id']}", {"status": "discontinued"}, If_Match="*")
    answers = [
        await buyer.order((variant_of(product), 1)),
        await buyer.call("PUT", f"/v1/cart/items/{variant_of(product)}", {"quantity": 1}),
    ]
    assert {(each.status, each.code) for each in answers} == {(409, "commerce.product.not_for_sale")}
    assert (await buyer.order((str(uuid4()), 1))).code == "commerce.variant.not_found"


ADDRESS = {
    "recipient": "A Buyer",
    "phone": "+66812345678",
    "line1": "1 Charoen Krung",
    "city": "Bangkok",
    "postal_code": "10500",
    "country": "TH",
}
