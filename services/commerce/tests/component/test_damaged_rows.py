"""What is damaged in one row is that row's outcome alone: lists, carts and orders of everybody else go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import REGISTRY

from commerce.adapters.invariants import checks
from commerce.adapters.product_store import ProductStore
from commerce.domain.category import Category
from commerce.domain.ids import CategoryId, ProductId
from commerce.domain.texts import LocalisedText
from commerce.wiring import App
from commerce_testing.people import variant_of
from kernel.ids import derived_id
from operations.invariants import check_invariants
from testkit.databases import ServiceDatabase

pytestmark = pytest.mark.component
SHAPES = ["5", '"x"', "[]", "[5]", "null", '{"x": 5}', '{"en": 5}']
PRODUCT_DAMAGES = [
    *(("product", "titles", "id", shape) for shape in (*SHAPES, "{}")),
    *(("product", "descriptions", "id", shape) for shape in ("5", "[5]", '{"en": 5}')),
    *(("product", "options", "id", shape) for shape in ("5", "[5]", '{"x": 5}', '[{"name": 5}]')),
    *(("variant", "options", "product_id", shape) for shape in SHAPES),
]


def counted(what: str) -> float:
    return REGISTRY.get_sample_value("commerce_unreadable_total", {"what": what}) or 0


@asynccontextmanager
async def damaged(database: ServiceDatabase, place: tuple[str, str, str, str], key: UUID) -> AsyncIterator[None]:
    """Table, column, the column that ``key`` is of, and the JSON that stands there within the block."""
    table, column, key_column, shape = place
    write = f"UPDATE {table} SET {column} = $2::text::jsonb WHERE {key_column} = $1"
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        before = await owner.fetchval(f"SELECT {column}::text FROM {table} WHERE {key_column} = $1", key)
        await owner.execute(write, key, shape)
        yield
        await owner.execute(write, key, before)
    finally:
        await owner.close()


@pytest.mark.parametrize("place", PRODUCT_DAMAGES)
async def test_a_damaged_product_is_in_no_list_and_its_page_says_so(
    app: App, service_database: ServiceDatabase, seller: Any, buyer: Any, place: tuple[str, str, str, str]
) -> None:
    shop = await seller.open_shop()
    first, bad, last = [await seller.add_product(shop) for _ in range(3)]
    for each in (bad, last):
        answer = await buyer.call("PUT", f"/v1/cart/items/{variant_of(each)}", {"quantity": 1})
        assert answer.status == 200
    bad_id, before = UUID(bad["product_id"]), counted("product")
    await app.cache.drop([ProductId(bad_id)])
    async with damaged(service_database, place, bad_id):
        for method, body, headers in (("GET", None, {}), ("PATCH", {"titles": {"en": "New"}}, {"If_Match": "*"})):
            answer = await seller.call(method, f"/v1/products/{bad_id}", body, **headers)
            assert (answer.status, answer.code) == (503, "commerce.product.unreadable")
        assert counted("product") > before
        shown = {each["variant_id"]: each for each in (await buyer.get("/v1/cart")).body["items"]}
        assert shown[variant_of(last)]["for_sale"]
        if place[:2] in {("product", "titles"), ("variant", "options")}:
            assert not shown[variant_of(bad)]["for_sale"]
            assert shown[variant_of(bad)]["title"] is None
            refused = await buyer.order((variant_of(bad), 1))
            assert (refused.status, refused.code) == (404, "commerce.variant.not_found")
        if place[1] == "titles":
            await lists_leave_out(buyer, seller, shop["shop_id"], [last["product_id"], first["product_id"]])
        answer = await buyer.call("DELETE", f"/v1/cart/items/{variant_of(bad)}")
        assert [each["variant_id"] for each in answer.body["items"]] == [variant_of(last)]
        async with app.database.read() as conn:
            sellers = await ProductStore(conn).sellers([ProductId(bad_id), ProductId(UUID(last["product_id"]))])
        assert {type(title) for _, title in sellers.values()} == {str}
        assert len(sellers) == 2


async def lists_leave_out(buyer: Any, seller: Any, shop_id: str, whole: list[str]) -> None:
    """Every list has the products that are whole, on however many pages."""
    of_shop = f"/v1/products?shop_id={shop_id}"
    for path in (f"{of_shop}&q=silk", f"{of_shop}&q=silkk", f"{of_shop}&sort=price_asc", of_shop):
        assert {each["product_id"] for each in (await buyer.get(path)).body["items"]} == {*whole}
    assert len((await seller.get(f"/v1/shops/{shop_id}/products")).body["items"]) == len(whole)
    listed: list[str] = []
    path: str | None = f"{of_shop}&limit=1"
    while path is not None:
        page = (await buyer.get(path)).body
        listed += [each["product_id"] for each in page["items"]]
        path = page["next_cursor"] and f"{of_shop}&limit=1&cursor={page['next_cursor']}"
    assert listed == whole


@pytest.mark.parametrize("shape", ["5", "[5]", '{"en": 5}'])
async def test_a_shop_with_damaged_descriptions_is_shown_without(
    service_database: ServiceDatabase, seller: Any, shape: str
) -> None:
    shop = await seller.open_shop(descriptions={"en": "Silk of the north"})
    async with damaged(service_database, ("shop", "descriptions", "id", shape), UUID(shop["shop_id"])):
        product = await seller.add_product(shop)
        assert (await seller.get(f"/v1/products/{product['product_id']}")).status == 200
        assert (await seller.get(f"/v1/shops/{shop['shop_id']}")).body["description"] is None
        listed = (await seller.get(f"/v1/shops?owner_id={seller.id}")).body["items"]
        assert [each["shop_id"] for each in listed] == [shop["shop_id"]]


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_order_is_shown_with_what_can_be_read(
    service_database: ServiceDatabase, buyer: Any, product: Any, shape: str
) -> None:
    ship_to = {"recipient": "A Person", "phone": "+66812345678", "line1": "1 Road", "line2": "", "city": "Bangkok"}
    ship_to |= {"region": "Bangkok", "postal_code": "10110", "country": "TH"}
    checkout_id = await buyer.place((variant_of(product), 1), ship_to=ship_to)
    [order] = (await buyer.get(f"/v1/checkouts/{checkout_id}")).body["orders"]
    order_id = UUID(order["order_id"])
    async with (
        damaged(service_database, ("order_line", "options", "order_id", shape), order_id),
        damaged(service_database, ("orders", "ship_to", "id", shape), order_id),
    ):
        [shown] = (await buyer.get(f"/v1/checkouts/{checkout_id}")).body["orders"]
        assert (await buyer.get(f"/v1/orders/{order_id}")).body == shown
        assert shown == order | {"ship_to": None, "lines": [order["lines"][0] | {"options": {}}]}
        assert (await buyer.call("POST", f"/v1/orders/{order_id}/cancel")).status == 202


async def test_the_audit_names_damaged_rows_and_a_category_is_shown_by_its_slug(
    app: App, service_database: ServiceDatabase, buyer: Any, product: Any
) -> None:
    async with app.begin() as tx:
        await tx.categories.put([a_category("silk-of-tests")])
    async with (
        damaged(service_database, ("product", "titles", "id", "[5]"), UUID(product["product_id"])),
        damaged(service_database, ("category", "titles", "id", "[5]"), a_category("silk-of-tests").id),
    ):
        shown = (await buyer.get("/v1/categories")).body["items"]
        assert "silk-of-tests" in [each["title"] for each in shown]
        async with app.database.read() as conn:
            found = {each.check.invariant: each for each in await check_invariants(conn, checks(stuck_after_s=10**9))}
        assert found["ROW-1"].count == 2
        for what in ("product", "category"):
            assert any(what in each for each in found["ROW-1"].examples)


def a_category(slug: str) -> Category:
    return Category(
        id=CategoryId(derived_id(UUID(int=0), slug)),
        parent_id=None,
        slug=slug,
        titles=LocalisedText({"en": "Silk"}),
        position=99,
    )
