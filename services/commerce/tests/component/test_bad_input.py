"""What every route answers to nonsense: a 4xx problem with a stable code, and nothing written."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from commerce.wiring import App
from commerce_testing.people import product_body

pytestmark = pytest.mark.component

ID = str(uuid4())
BLANK = ["  ", "\u3164", "\u2800", "\u200d\u200d"]
SHOPS: list[Any] = [
    {},
    {"name": "x"},
    {"name": "x" * 101},
    {"name": "nul\x00"},
    {"name": "bidi\u202eevil"},
    {"name": "\u200b\u200b\u200b"},
    {"name": "\u3164\u3164"},
    {"name": "Shop", "descriptions": {"en": "\u2800"}},
    {"name": "Shop", "country": "US"},
    {"name": "Shop", "slug": "No Spaces"},
    {"name": "Shop", "extra": 1},
    {"name": ["Shop"]},
    {"name": "Shop", "descriptions": {"fr": "non"}},
    {"name": "Shop", "descriptions": {}},
    [],
    "text",
    None,
]
ORDERS: list[Any] = [
    {"lines": []},
    {"lines": [{"variant_id": "x", "quantity": 1}]},
    {"lines": [{"variant_id": ID, "quantity": 0}]},
    {"lines": [{"variant_id": ID, "quantity": -1}]},
    {"lines": [{"variant_id": ID, "quantity": 10_000}]},
    {"lines": [{"variant_id": ID, "quantity": 10**30}]},
    {"lines": [{"variant_id": ID, "quantity": 1.5}]},
    {"lines": [{"variant_id": ID, "quantity": True}]},
    {"lines": [{"variant_id": ID, "quantity": 1}] * 101},
    {"lines": [{"variant_id": ID, "quantity": 1, "price": 1}]},
    {"lines": {"variant_id": ID}},
    {"pay_with": {"card": "4111111111111111"}},
    {"note": "x" * 501},
    {"ship_to": {"recipient": "A"}},
    {"ship_to": {"recipient": "A", "phone": "1", "line1": "x", "city": "x", "postal_code": "1", "country": "TH"}},
]
PRODUCTS: list[Any] = [
    {"titles": {}},
    {"titles": {"fr": "soie"}},
    {"titles": {"en": "x" * 201}},
    *({"tags": [blank]} for blank in BLANK),
    *({"descriptions": {"en": blank}} for blank in BLANK),
    {"variants": []},
    {"variants": [{"sku": "A", "price": {"amount_minor": -1, "currency": "THB"}}]},
    {"variants": [{"sku": "A", "price": {"amount_minor": 2**60, "currency": "THB"}}]},
    {"variants": [{"sku": "A", "price": {"amount_minor": 1.5, "currency": "THB"}}]},
    {"variants": [{"sku": "A", "price": {"amount_minor": 1, "currency": "VND"}}]},
    {"variants": [{"sku": "A", "price": {"amount_minor": 1, "currency": "EUR"}}]},
    {"variants": [{"sku": " ", "price": {"amount_minor": 1, "currency": "THB"}}]},
    {"category_id": ID},
    {"tax_class": "none"},
    {"media": ["javascript:alert(1)"]},
    {"status": "archived"},
]


async def rows(app: App, person: Any) -> tuple[int, ...]:
    async with app.database.read() as conn:
        return (
            await conn.fetchval("SELECT count(*) FROM shop WHERE owner_id = $1", person.id),
            await conn.fetchval("SELECT count(*) FROM checkout WHERE buyer_id = $1", person.id),
            await conn.fetchval(
                "SELECT count(*) FROM product p JOIN shop s ON s.id = p.shop_id WHERE s.owner_id = $1", person.id
            ),
        )


def refused(answer: Any) -> bool:
    return (
        400 <= answer.status < 500
        and answer.headers["Content-Type"].startswith("application/problem+json")
        and bool(answer.code)
    )


@pytest.mark.parametrize("body", SHOPS)
async def test_shops(app: App, people: Any, body: Any) -> None:
    person = people()
    assert refused(await person.call("POST", "/v1/shops", body))
    assert await rows(app, person) == (0, 0, 0)


@pytest.mark.parametrize("body", ORDERS)
async def test_orders(app: App, people: Any, body: Any) -> None:
    person = people()
    assert refused(await person.call("POST", "/v1/orders", body, Idempotency_Key=uuid4().hex))
    assert await rows(app, person) == (0, 0, 0)


@pytest.mark.parametrize("parts", PRODUCTS)
async def test_products(app: App, seller: Any, shop: Any, parts: Any) -> None:
    answer = await seller.call("POST", f"/v1/shops/{shop['shop_id']}/products", product_body() | parts)
    assert refused(answer), answer
    assert await rows(app, seller) == (1, 0, 0)


def sized(name: str, value: str) -> dict[str, Any]:
    body = product_body(options=[{"name": name, "values": [value]}])
    body["variants"][0]["options"] = {name: value}
    return body


@pytest.mark.parametrize("blank", BLANK)
async def test_what_buyers_choose_between_shows(seller: Any, shop: Any, blank: str) -> None:
    path = f"/v1/shops/{shop['shop_id']}/products"
    for body in (sized(blank, "S"), sized("Size", blank)):
        answer = await seller.call("POST", path, body)
        assert (answer.status, answer.code) == (422, "request.body.invalid")
    assert (await seller.call("POST", path, sized("Size", "S"))).status == 201


@pytest.mark.parametrize("on_hand", [-1, 1.5, "1", None, 10**12, True])
async def test_counts(seller: Any, product: Any, on_hand: Any) -> None:
    path = f"/v1/products/{product['product_id']}/variants/{product['variants'][0]['variant_id']}/stock"
    assert refused(await seller.call("PUT", path, {"on_hand": on_hand}, If_Match="*"))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/products?limit=0",
        "/v1/products?limit=201",
        "/v1/products?colour=red",
        "/v1/products?sort=best",
        "/v1/products?min_price_minor=-1&currency=THB",
        "/v1/products?q=",
        "/v1/products?q=" + "x" * 101,
        "/v1/products?country=US",
        "/v1/products/not-an-id",
        "/v1/orders?status=lost",
        "/v1/orders/1",
        f"/v1/orders/{ID}?wait_s=11",
        f"/v1/orders/{ID}?wait_s=nan",
        f"/v1/checkouts/{ID}",
        f"/v1/shops/{ID}",
    ],
)
async def test_reads(buyer: Any, path: str) -> None:
    assert refused(await buyer.get(path))


@pytest.mark.parametrize("q", ["'", "a' | 'b", ":*", "\\", "%", "_%_", "''''", "a & b", "!a", "<->", "ก' ข"])
async def test_no_search_breaks_the_query(buyer: Any, q: str) -> None:
    assert (await buyer.get(f"/v1/products?q={quote(q)}")).status == 200
