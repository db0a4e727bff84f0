"""Lists, search, paging, the cache, and who may change what."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from commerce.adapters.demo_catalogue_reads import build_catalogue
from commerce.domain.ids import UserId
from commerce.entrypoints.jobs import fold_products
from commerce.wiring import App
from commerce_testing.people import product_body
from kernel.country import Country

pytestmark = pytest.mark.component


async def listed(person: Any, query: str, language: str = "en") -> list[str]:
    answer = await person.get(f"/v1/products?{query}", Accept_Language=language)
    assert answer.status == 200, answer
    return [item["title"] for item in answer.body["items"]]


async def pages(person: Any, path: str) -> list[str]:
    ids, cursor = [], ""
    while True:
        page = (await person.get(f"{path}{cursor}")).body
        ids += [item["product_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return ids
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("silk", True),
        ("SILK hand", True),
        ("ไหมทอ", True),
        ("ผ้า", True),
        ("khan lua", True),
        ("khăn lụa", True),
        ("skarf", True),
        ("syal", True),
        ("ilk", False),
        ("ทอไหม", False),
        ("batik", False),
    ],
)
async def test_search_in_five_languages(*, seller: Any, buyer: Any, shop: Any, query: str, found: bool) -> None:
    titles = {
        "en": "Hand-woven silk scarf",
        "th": "ผ้าพันคอผ้าไหมทอมือ",
        "vi": "Khăn quàng lụa",
        "ms": "Skarf sutera",
        "id": "Syal sutra",
    }
    await seller.add_product(shop, titles=titles)
    result = await listed(buyer, f"shop_id={shop['shop_id']}&q={query}", "vi")
    assert result == (["Khăn quàng lụa"] if found else [])


async def test_a_typing_error_finds_what_looks_alike(seller: Any, buyer: Any, shop: Any) -> None:
    await seller.add_product(shop, titles={"en": "Kintamani coffee beans"})
    assert await listed(buyer, f"shop_id={shop['shop_id']}&q=kintamanni") == ["Kintamani coffee beans"]


async def test_filters(seller: Any, buyer: Any, shop: Any) -> None:
    for price_minor, on_hand in ((100, 1), (200, 0), (300, 5)):
        await seller.add_product(shop, titles={"en": f"P{price_minor}"}, price_minor=price_minor, on_hand=on_hand)
    base = f"shop_id={shop['shop_id']}"
    assert await listed(buyer, base) == ["P300", "P200", "P100"]
    assert await listed(buyer, f"{base}&sort=price_asc") == ["P100", "P200", "P300"]
    assert await listed(buyer, f"{base}&sort=price_desc&max_price_minor=200") == ["P200", "P100"]
    assert await listed(buyer, f"{base}&min_price_minor=150&in_stock=true") == ["P300"]
    assert await listed(buyer, f"{base}&country=VN") == []
    refused = await buyer.get("/v1/products?sort=price_asc")
    assert (refused.status, refused.code) == (422, "commerce.search.currency_needed")


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("น\u0e4d\u0e49\u0e32ปลา", "น\u0e49\u0e33ปลาแท้"),
        ("น\u0e33\u0e49ปลา", "น\u0e49\u0e33ปลาแท้"),
        ("\u0e40\u0e40กงเขียว", "\u0e41กงเขียวหวาน"),
        ("\u0e41กงเขียว", "\u0e40\u0e40กงเขียวหวาน"),
        ("ก\u0e4bวยเต\u0e35\u0e4bยว", "ก\u0e4bวยเต\u0e4b\u0e35ยว"),
        ("ນ\u0ec9\u0eb3", "ນ\u0ecd\u0ec9\u0eb2ປາ"),
    ],
)
async def test_thai_is_found_as_it_looks(*, seller: Any, buyer: Any, shop: Any, typed: str, title: str) -> None:
    await seller.add_product(shop, titles={"th": title})
    assert await listed(buyer, f"shop_id={shop['shop_id']}&q={typed}") == [title]


@pytest.mark.parametrize(
    "query", ["🍜", "!!!", "%", "--", "_", "'", "฿", "\u0e48", "...", "<->", "|", "👩\u200d🍳", "´"]
)
async def test_a_query_without_a_letter_or_digit_finds_nothing(seller: Any, buyer: Any, shop: Any, query: str) -> None:
    for title in ("Plain cup", "Teapot", "น้ำปลาแท้"):
        await seller.add_product(shop, titles={"en": title})
    base = f"shop_id={shop['shop_id']}&q={quote(query)}"
    for more in ("", "&in_stock=true", "&sort=price_asc&min_price_minor=1"):
        assert await listed(buyer, base + more) == []
    own = await seller.get(f"/v1/shops/{shop['shop_id']}/products?q={quote(query)}")
    assert own.body["items"] == []


async def test_a_price_is_looked_for_among_all_variants(seller: Any, buyer: Any, shop: Any) -> None:
    sizes = {"S": (50, 3), "L": (500, 0)}
    await seller.add_product(
        shop,
        titles={"en": "Two sizes"},
        options=[{"name": "size", "values": list(sizes)}],
        variants=[
            {
                "sku": size,
                "options": {"size": size},
                "price": {"amount_minor": price_minor, "currency": "THB"},
                "on_hand": on_hand,
            }
            for size, (price_minor, on_hand) in sizes.items()
        ],
    )
    base = f"shop_id={shop['shop_id']}"
    for low, high, found in (
        (40, 60, True),
        (400, 600, True),
        (500, 500, True),
        (60, 400, False),
        (501, 900, False),
        (0, 49, False),
        (400, None, True),
        (None, 50, True),
        (501, None, False),
        (None, 49, False),
        (600, 400, False),
    ):
        bounds = "".join(
            f"&{name}={value}"
            for name, value in (("min_price_minor", low), ("max_price_minor", high))
            if value is not None
        )
        assert bool(await listed(buyer, base + bounds)) is found, bounds
        assert bool(await listed(buyer, base + bounds + "&q=sizes")) is found, bounds
    assert await listed(buyer, f"{base}&min_price_minor=40&max_price_minor=60&in_stock=true") == ["Two sizes"]
    assert await listed(buyer, f"{base}&min_price_minor=400&in_stock=true") == []
    assert await listed(buyer, f"{base}&max_price_minor=600&in_stock=true") == ["Two sizes"]


async def test_what_an_earlier_folding_stored_is_folded_again(app: App, seller: Any, buyer: Any, shop: Any) -> None:
    title = "\u0e40\u0e40กงเขียวหวาน"
    product = await seller.add_product(shop, titles={"th": title})
    query = f"shop_id={shop['shop_id']}&q=\u0e41กงเขียว"
    async with app.database.begin() as conn:
        await conn.execute(
            """
            UPDATE product SET fold_again = true, title_text = $2, search_text = $2,
                               terms = array_to_tsvector($3::text[])
            WHERE id = $1
            """,
            UUID(product["product_id"]),
            title,
            [title[index : index + 2] for index in range(len(title) - 1)],
        )
    assert await listed(buyer, query) == []
    await fold_products(app)
    assert await listed(buyer, query) == [title]
    async with app.database.read() as conn:
        assert await conn.fetchval("SELECT count(*) FROM product WHERE fold_again") == 0


@pytest.mark.parametrize("sort", ["newest", "price_asc", "price_desc"])
async def test_pages_are_stable_while_products_arrive(seller: Any, buyer: Any, shop: Any, sort: str) -> None:
    for number in range(7):
        await seller.add_product(shop, titles={"en": f"N{number}"}, price_minor=100 + number % 3)
    path = f"/v1/products?shop_id={shop['shop_id']}&sort={sort}&limit=2"
    first = (await buyer.get(path)).body
    seen = [item["product_id"] for item in first["items"]]
    before = await pages(buyer, path)
    cursor = first["next_cursor"]
    while cursor:
        await seller.add_product(shop, titles={"en": "late"}, price_minor=101)
        page = (await buyer.get(f"{path}&cursor={cursor}")).body
        seen += [item["product_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        assert len(seen) < 40
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in before] == before


async def test_a_cursor_of_another_list_is_refused(seller: Any, buyer: Any, shop: Any) -> None:
    for _ in range(2):
        await seller.add_product(shop)
    page = (await buyer.get(f"/v1/products?shop_id={shop['shop_id']}&limit=1")).body
    for path in (
        f"/v1/products?sort=price_asc&currency=THB&cursor={page['next_cursor']}",
        f"/v1/orders?cursor={page['next_cursor']}",
        "/v1/products?cursor=abc",
    ):
        answer = await buyer.get(path)
        assert (answer.status, answer.code) == (422, "cursor_invalid"), path


async def test_a_copy_is_current_only_while_it_says_the_same(
    app: App, seller: Any, buyer: Any, shop: Any, product: Any
) -> None:
    path = f"/v1/products/{product['product_id']}"
    variant_id = product["variants"][0]["variant_id"]
    first = await buyer.get(path, Accept_Language="en")
    tag = first.headers["ETag"]
    assert (await buyer.get(path, Accept_Language="en", If_None_Match=tag)).status == 304
    in_thai = await buyer.get(path, Accept_Language="th", If_None_Match=tag)
    assert (in_thai.status, in_thai.body["title"]) == (200, "ผ้าพันคอผ้าไหมทอมือ")
    counted = await seller.call("PUT", f"{path}/variants/{variant_id}/stock", {"on_hand": 0}, If_Match="*")
    assert counted.status == 200
    sold_out = await buyer.get(path, Accept_Language="en", If_None_Match=tag)
    assert (sold_out.status, sold_out.body["variants"][0]["available"]) == (200, 0)
    edit = await seller.call("PATCH", path, {"tags": ["silk"]}, If_Match=tag)
    assert edit.status == 200, "what others bought is no conflict with an edit"
    assert (await seller.call("PATCH", path, {"tags": []}, If_Match=tag)).status == 412


async def test_a_copy_of_the_stock_is_current_only_while_it_says_the_same(
    app: App, seller: Any, buyer: Any, product: Any
) -> None:
    variant_id = product["variants"][0]["variant_id"]
    path = f"/v1/products/{product['product_id']}/variants/{variant_id}/stock"
    tag = (await seller.get(path)).headers["ETag"]
    await buyer.place((variant_id, 2))
    held = await seller.get(path, If_None_Match=tag)
    assert (held.status, held.body["reserved"]) == (200, 2)
    assert (await seller.call("PUT", path, {"on_hand": 9}, If_Match=tag)).status == 200


async def test_a_product_reads_in_the_readers_language(buyer: Any, product: Any) -> None:
    path = f"/v1/products/{product['product_id']}"
    assert (await buyer.get(path, Accept_Language="th-TH")).body["title"] == "ผ้าพันคอผ้าไหมทอมือ"
    assert (await buyer.get(path, Accept_Language="vi;q=0.9,en;q=0.1")).body["title"] == "ผ้าพันคอผ้าไหมทอมือ"
    assert (await buyer.get(path)).body["title"] == "Hand-woven silk scarf"


async def test_the_cache_never_shows_what_was(app: App, seller: Any, buyer: Any, product: Any) -> None:
    path = f"/v1/products/{product['product_id']}"
    first = await buyer.get(path)
    key = f"commerce:product:{product['product_id']}"
    cached = await app.redis.get(key)
    assert json.loads(cached)["version"] == 1
    changed = await seller.call("PATCH", path, {"titles": {"en": "Renamed"}}, If_Match=first.headers["ETag"])
    assert (changed.status, changed.body["title"]) == (200, "Renamed")
    assert await app.redis.get(key) is None
    await app.redis.set(key, cached)
    assert (await buyer.get(path)).body["title"] == "Renamed"


async def test_two_who_edit_the_same_product(seller: Any, product: Any) -> None:
    path = f"/v1/products/{product['product_id']}"
    etag = (await seller.get(path)).headers["ETag"]
    bodies = [{"tags": ["a"]}, {"tags": ["b"]}]
    answers = await asyncio.gather(*(seller.call("PATCH", path, body, If_Match=etag) for body in bodies))
    assert sorted(answer.status for answer in answers) == [200, 412]
    assert (await seller.call("PATCH", path, {"tags": []})).status == 412


async def test_prices_and_status_change_and_are_told(app: App, seller: Any, buyer: Any, product: Any) -> None:
    path = f"/v1/products/{product['product_id']}"
    variant_id = product["variants"][0]["variant_id"]
    prices = {variant_id: {"amount_minor": 77, "currency": "THB"}}
    assert (await seller.call("PATCH", path, {"prices": prices}, If_Match="*")).status == 200
    assert (await buyer.get(path)).body["variants"][0]["price"]["amount_minor"] == 77
    assert (await seller.call("PATCH", path, {"status": "archived"}, If_Match="*")).status == 200
    assert (await buyer.get(path)).status == 404
    assert (await seller.get(path)).status == 200
    back = await seller.call("PATCH", path, {"status": "active"}, If_Match="*")
    assert (back.status, back.code) == (409, "commerce.product.status_refused")
    async with app.database.read() as conn:
        rows = await conn.fetch("SELECT type FROM outbox WHERE key = $1 ORDER BY id", product["product_id"])
    assert [row["type"].rpartition(".")[2] for row in rows] == [
        "ProductPublished",
        "ProductPublished",
        "ProductWithdrawn",
    ]


async def test_a_draft_is_the_owners_alone(seller: Any, buyer: Any, shop: Any) -> None:
    draft = await seller.add_product(shop, status="draft")
    path = f"/v1/products/{draft['product_id']}"
    assert (await buyer.get(path)).status == 404
    assert (await buyer.call("PATCH", path, {"status": "active"}, If_Match="*")).status == 404
    assert (await seller.get(path)).status == 200
    own = (await seller.get(f"/v1/shops/{shop['shop_id']}/products")).body["items"]
    assert [item["status"] for item in own] == ["draft"]
    assert (await buyer.get(f"/v1/shops/{shop['shop_id']}/products")).code == "commerce.shop.not_owner"


async def test_another_sellers_shop_product_and_stock(people: Any, shop: Any, product: Any) -> None:
    other = people()
    path = f"/v1/products/{product['product_id']}"
    stock = f"{path}/variants/{product['variants'][0]['variant_id']}/stock"
    for answer in (
        await other.call("POST", f"/v1/shops/{shop['shop_id']}/products", product_body()),
        await other.call("PATCH", path, {"tags": []}, If_Match="*"),
        await other.call("PUT", stock, {"on_hand": 1}, If_Match="*"),
        await other.get(stock),
        await other.get(f"/v1/shops/{shop['shop_id']}/orders"),
    ):
        assert (answer.status, answer.code) == (403, "commerce.shop.not_owner")


async def test_the_seller_counts_and_nobody_overwrites_a_newer_count(seller: Any, product: Any) -> None:
    stock = f"/v1/products/{product['product_id']}/variants/{product['variants'][0]['variant_id']}/stock"
    etag = (await seller.get(stock)).headers["ETag"]
    answers = await asyncio.gather(
        *(seller.call("PUT", stock, {"on_hand": count}, If_Match=etag) for count in (20, 30))
    )
    assert sorted(answer.status for answer in answers) == [200, 412]
    missing = await seller.call("PUT", stock, {"on_hand": 1})
    assert (missing.status, missing.code) == (412, "request.precondition.failed")
    elsewhere = stock.replace(product["variants"][0]["variant_id"], str(uuid4()))
    assert (await seller.call("PUT", elsewhere, {"on_hand": 1}, If_Match="*")).status == 404


async def test_categories_are_a_tree_and_filter_by_what_is_below(app: App, people: Any, seller: Any, shop: Any) -> None:
    catalogue = build_catalogue({country: UserId(seller.id) for country in Country}, app.clock.now())
    async with app.begin() as tx:
        await tx.categories.put(catalogue.categories)
    tree = (await seller.get("/v1/categories", Accept_Language="vi")).body["items"]
    fashion = next(node for node in tree if node["slug"] == "fashion")
    assert (fashion["title"], len(fashion["children"])) == ("Thời trang", 3)
    scarves = next(node for node in fashion["children"] if node["slug"] == "scarves")
    await seller.add_product(shop, category_id=scarves["category_id"], titles={"en": "In scarves"})
    for category in ("fashion", "scarves", scarves["category_id"]):
        assert await listed(people(), f"shop_id={shop['shop_id']}&category={category}") == ["In scarves"]
    assert await listed(people(), f"shop_id={shop['shop_id']}&category=home") == []
    unknown = await people().get("/v1/products?category=nothing")
    assert (unknown.status, unknown.code) == (422, "commerce.category.not_found")


async def test_shops_are_listed_newest_first_and_slugs_are_unique(people: Any) -> None:
    owner = people(Country.PH)
    slug = f"isla-{uuid4().hex[:8]}"
    made = [await owner.open_shop(slug=slug), await owner.open_shop(name="Tindahan")]
    assert made[0]["currency"] == "PHP"
    listed_shops = (await owner.get(f"/v1/shops?owner_id={owner.id}")).body["items"]
    assert [each["shop_id"] for each in listed_shops] == [made[1]["shop_id"], made[0]["shop_id"]]
    again = await owner.call("POST", "/v1/shops", {"name": "Again", "slug": slug})
    assert (again.status, again.code) == (409, "commerce.shop.slug_taken")
    assert (await owner.get(f"/v1/shops/{made[0]['shop_id']}")).body["slug"] == slug


async def test_the_same_sku_twice_in_a_shop(seller: Any, shop: Any) -> None:
    body = product_body()
    await seller.make(f"/v1/shops/{shop['shop_id']}/products", body)
    again = await seller.call("POST", f"/v1/shops/{shop['shop_id']}/products", body)
    assert (again.status, again.code) == (409, "commerce.variant.sku_taken")
