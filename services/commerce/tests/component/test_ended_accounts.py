"""A person's account ends: their shops sell nothing more, their cart is empty, and what is confirmed stays to be seen."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from commerce.adapters.account_store import AccountStore
from commerce.adapters.shop_store import ShopStore
from commerce.adapters.transaction import CommerceTx
from commerce.domain.account import AccountEndedError
from commerce.domain.ids import ShopId, UserId
from commerce.domain.product import Variant
from commerce.domain.shop import Shop, ShopClosedError
from commerce.domain.texts import LocalisedText
from commerce.usecases.add_product import AddProduct, NewVariant, add_product
from commerce.usecases.cancel_order import CancelOrder
from commerce.usecases.complete_order import CompleteOrder
from commerce.usecases.confirm_order import ConfirmOrder
from commerce.usecases.end_account import EndAccount, end_account
from commerce.usecases.mark_order_paid import MarkOrderPaid
from commerce.usecases.open_shop import OpenShop, open_shop
from commerce.usecases.release_stock import ReleaseStock
from commerce.usecases.reserve_stock import ReserveStock
from commerce.wiring import App
from commerce_testing.people import variant_of
from commerce_testing.running import apply_commands, broken_invariants, event_types, pay
from commerce_testing.selling import forget_stock
from kernel.country import Country

pytestmark = pytest.mark.component
EN = LocalisedText({"en": "Tea"})


async def end(app: App, user_id: UUID) -> None:
    async with app.begin() as tx:
        await end_account(EndAccount(user_id=UserId(user_id), ended_at=datetime.now(UTC)), tx)


async def test_the_shop_sells_nothing_more(app: App, seller: Any, buyer: Any, shop: Any, product: Any) -> None:
    variant = variant_of(product)
    await buyer.call("PUT", f"/v1/cart/items/{variant}", {"quantity": 1})
    path = f"/v1/products/{product['product_id']}"
    assert (await buyer.get(path)).status == 200
    await end(app, seller.id)
    assert (await buyer.get(path)).code == "commerce.product.not_found"
    for query in ("", "&q=silk", "&q=silkk", "&in_stock=true"):
        assert (await buyer.get(f"/v1/products?shop_id={shop['shop_id']}{query}")).body["items"] == []
    assert (await buyer.get(f"/v1/shops?owner_id={seller.id}")).body["items"] == []
    assert (await buyer.get(f"/v1/shops/{shop['shop_id']}")).body["status"] == "closed"
    [item] = (await buyer.get("/v1/cart")).body["items"]
    assert item["for_sale"] is False
    assert (await buyer.get("/v1/cart")).body["subtotals"] == []
    for refused in (
        await buyer.order(),
        await buyer.order((variant, 1)),
        await buyer.call("PUT", f"/v1/cart/items/{variant}", {"quantity": 1}),
    ):
        assert (refused.status, refused.code) == (409, "commerce.product.not_for_sale")
    assert await event_types(app, product["product_id"]) == ["ProductPublished", "ProductWithdrawn"]


async def test_the_owner_changes_nothing_more(app: App, seller: Any, shop: Any, product: Any) -> None:
    await end(app, seller.id)
    path = f"/v1/products/{product['product_id']}"
    for refused in (
        await seller.call("POST", f"/v1/shops/{shop['shop_id']}/products", new_product()),
        await seller.call("PATCH", path, {"titles": {"en": "Other"}}, If_Match="*"),
        await seller.call("PATCH", path, {"status": "active"}, If_Match="*"),
        await seller.call("PUT", f"{path}/variants/{variant_of(product)}/stock", {"on_hand": 5}, If_Match="*"),
    ):
        assert (refused.status, refused.code) == (409, "commerce.shop.closed")
    opened = await seller.call("POST", "/v1/shops", {"name": "Again"})
    assert (opened.status, opened.code) == (403, "commerce.account.ended")
    carted = await seller.call("PUT", f"/v1/cart/items/{variant_of(product)}", {"quantity": 1})
    assert carted.code == "commerce.account.ended"


@pytest.mark.parametrize("held", [True, False], ids=["held", "placed by the version before"])
async def test_an_order_that_is_not_confirmed_fails(
    *, app: App, seller: Any, buyer: Any, product: Any, held: bool
) -> None:
    checkout_id = await buyer.place((variant_of(product), 2))
    if not held:
        async with app.begin() as tx:
            await forget_stock(checkout_id, tx)
    await end(app, seller.id)
    assert await apply_commands(app, CompleteOrder(checkout_id=checkout_id)) == ["commerce.shop.closed"]
    reserve = ReserveStock(checkout_id=checkout_id, hold_s=60)
    refusals = await apply_commands(app, reserve, ConfirmOrder(checkout_id=checkout_id))
    assert refusals == [None, "commerce.shop.closed"]
    undo = CancelOrder(checkout_id=checkout_id, reason_code="commerce.shop.closed")
    assert await apply_commands(app, ReleaseStock(checkout_id=checkout_id), undo) == [None, None]
    checkout = (await buyer.get(f"/v1/checkouts/{checkout_id}", Accept_Language="th")).body
    assert (checkout["status"], checkout["cancel_reason_code"]) == ("failed", "commerce.shop.closed")
    assert await broken_invariants(app) == []


async def test_what_is_confirmed_stays_and_is_seen(app: App, seller: Any, buyer: Any, product: Any) -> None:
    checkout_id = await buyer.place((variant_of(product), 1))
    await pay(app, checkout_id)
    await end(app, seller.id)
    again = ConfirmOrder(checkout_id=checkout_id), MarkOrderPaid(checkout_id=checkout_id)
    assert await apply_commands(app, *again) == [None, None]
    [order] = (await buyer.get(f"/v1/checkouts/{checkout_id}")).body["orders"]
    assert (order["status"], order["payment_status"], order["shop_name"]) == ("confirmed", "paid", "Silk House")


async def test_one_closed_shop_stops_what_is_paid_together(app: App, people: Any, buyer: Any, product: Any) -> None:
    other = people()
    shared = await other.add_product(await other.open_shop(), price_minor=100)
    checkout_id = await buyer.place((variant_of(product), 1), (variant_of(shared), 1))
    await end(app, other.id)
    refusals = await apply_commands(
        app, ReserveStock(checkout_id=checkout_id, hold_s=60), ConfirmOrder(checkout_id=checkout_id)
    )
    assert refusals == [None, "commerce.shop.closed"]
    undo = CancelOrder(checkout_id=checkout_id, reason_code="commerce.shop.closed")
    assert await apply_commands(app, ReleaseStock(checkout_id=checkout_id), undo) == [None, None]
    placed = (await buyer.get(f"/v1/checkouts/{checkout_id}")).body
    assert placed["cancel_reason_code"] == "commerce.shop.closed"
    assert {each["shop_id"]: each["cancel_reason_code"] for each in placed["orders"]} == {
        product["shop_id"]: "commerce.checkout.part_failed",
        shared["shop_id"]: "commerce.shop.closed",
    }


async def test_what_sold_out_in_one_shop_did_not_in_the_other(app: App, people: Any, buyer: Any, product: Any) -> None:
    """Of a checkout that the version before placed: today it would be refused as it is placed."""
    other = people()
    shared = await other.add_product(await other.open_shop(), price_minor=100, on_hand=1)
    checkout_id = await buyer.place((variant_of(product), 1), (variant_of(shared), 1))
    async with app.begin() as tx:
        await forget_stock(checkout_id, tx)
    path = f"/v1/products/{shared['product_id']}/variants/{variant_of(shared)}/stock"
    assert (await other.call("PUT", path, {"on_hand": 0}, If_Match="*")).status == 200
    for command in (ReserveStock(checkout_id=checkout_id, hold_s=60), CompleteOrder(checkout_id=checkout_id)):
        assert await apply_commands(app, command) == ["commerce.stock.sold_out"]
    await apply_commands(app, CancelOrder(checkout_id=checkout_id, reason_code="commerce.stock.sold_out"))
    placed = (await buyer.get(f"/v1/checkouts/{checkout_id}")).body
    assert placed["cancel_reason_code"] == "commerce.stock.sold_out"
    assert {each["shop_id"]: each["cancel_reason_code"] for each in placed["orders"]} == {
        product["shop_id"]: "commerce.checkout.part_failed",
        shared["shop_id"]: "commerce.stock.sold_out",
    }


async def test_an_ended_buyer_has_no_cart_and_pays_for_nothing(app: App, buyer: Any, product: Any) -> None:
    await buyer.call("PUT", f"/v1/cart/items/{variant_of(product)}", {"quantity": 1})
    checkout_id = await buyer.place((variant_of(product), 1))
    await end(app, buyer.id)
    assert (await buyer.get("/v1/cart")).body["items"] == []
    assert (await buyer.order()).code == "commerce.account.ended"
    both = ConfirmOrder(checkout_id=checkout_id), CompleteOrder(checkout_id=checkout_id)
    assert await apply_commands(app, *both) == ["commerce.account.ended"] * 2


async def test_told_twice_is_once_and_of_nobody_known_is_nothing(
    app: App, seller: Any, shop: Any, product: Any
) -> None:
    for _ in range(2):
        await end(app, seller.id)
        await end(app, uuid4())
    assert await event_types(app, product["product_id"]) == ["ProductPublished", "ProductWithdrawn"]


async def test_told_before_the_shop_is_opened(app: App, people: Any) -> None:
    person = people()
    await end(app, person.id)
    refused = await person.call("POST", "/v1/shops", {"name": "Silk House"})
    assert (refused.status, refused.code) == (403, "commerce.account.ended")


class UnlockedAccounts(AccountStore):
    async def lock(self, user_id: UserId) -> None:
        await self._conn.execute("SELECT $1::text", str(user_id))


class UnlockedShops(ShopStore):
    async def lock(self, shop_id: ShopId) -> Shop | None:
        return await self.get(shop_id)


@asynccontextmanager
async def slowly(app: App, *, locked: bool) -> AsyncIterator[CommerceTx]:
    """A transaction that ends late enough for the account to end during it."""
    async with app.begin() as tx:
        yield (
            tx if locked else dataclasses.replace(tx, accounts=UnlockedAccounts(tx.conn), shops=UnlockedShops(tx.conn))
        )
        await asyncio.sleep(0.2)


async def opened_while_it_ends(app: App, *, locked: bool) -> list[str]:
    owner_id = UserId(uuid4())

    async def opens() -> None:
        async with slowly(app, locked=locked) as tx:
            await open_shop(OpenShop(owner_id=owner_id, name="Silk House", country=Country.TH), tx)

    async def ends() -> None:
        await asyncio.sleep(0.05)
        async with slowly(app, locked=locked) as tx:
            await end_account(EndAccount(user_id=owner_id, ended_at=tx.now), tx)

    await asyncio.gather(opens(), ends())
    async with app.database.read() as conn:
        return [row["status"] for row in await conn.fetch("SELECT status FROM shop WHERE owner_id = $1", owner_id)]


async def test_a_shop_that_opens_meanwhile_is_closed(app: App) -> None:
    assert await opened_while_it_ends(app, locked=True) == ["closed"]


async def test_negative_control_without_the_lock_it_stays_open_and_the_audit_says_so(app: App) -> None:
    assert await opened_while_it_ends(app, locked=False) == ["open"]
    assert await audited_and_mended(app, "UPDATE shop SET status = 'closed' WHERE owner_id IN (TABLE ended)") == [
        "SHP-1"
    ]


async def added_while_it_ends(app: App, *, locked: bool) -> list[str]:
    owner_id = UserId(uuid4())
    async with app.begin() as tx:
        shop = await open_shop(OpenShop(owner_id=owner_id, name="Silk House", country=Country.TH), tx)

    async def adds() -> None:
        async with slowly(app, locked=locked) as tx:
            await add_product(
                AddProduct(
                    user_id=owner_id,
                    shop_id=shop.id,
                    titles=EN,
                    variants=[NewVariant(variant=a_variant(), on_hand=1)],
                ),
                tx,
            )

    await asyncio.gather(adds(), _end_soon(app, owner_id))
    async with app.database.read() as conn:
        return [row["status"] for row in await conn.fetch("SELECT status FROM product WHERE shop_id = $1", shop.id)]


async def test_a_product_that_is_added_meanwhile_is_withdrawn(app: App) -> None:
    assert await added_while_it_ends(app, locked=True) == ["archived"]


async def test_negative_control_without_the_lock_it_stays_on_sale_and_the_audit_says_so(app: App) -> None:
    assert await added_while_it_ends(app, locked=False) == ["active"]
    mend = "UPDATE product SET status = 'archived' FROM shop s WHERE s.id = shop_id AND s.owner_id IN (TABLE ended)"
    assert await audited_and_mended(app, mend) == ["SHP-1"]


async def audited_and_mended(app: App, mend: str) -> list[str]:
    """What the audit finds; afterwards the other tests have a sound store again."""
    found = await broken_invariants(app)
    async with app.database.begin() as conn:
        await conn.execute(f"WITH ended AS (SELECT user_id FROM account_ended) {mend}")
    return found


async def test_who_is_late_is_refused_and_nothing_is_left(app: App) -> None:
    owner_id = UserId(uuid4())
    async with app.begin() as tx:
        shop = await open_shop(OpenShop(owner_id=owner_id, name="Silk House", country=Country.TH), tx)
        await end_account(EndAccount(user_id=owner_id, ended_at=tx.now), tx)
    new = AddProduct(
        user_id=owner_id, shop_id=shop.id, titles=EN, variants=[NewVariant(variant=a_variant(), on_hand=1)]
    )
    with pytest.raises(ShopClosedError):
        async with app.begin() as tx:
            await add_product(new, tx)
    with pytest.raises(AccountEndedError):
        async with app.begin() as tx:
            await open_shop(OpenShop(owner_id=owner_id, name="Another", country=Country.TH), tx)


async def _end_soon(app: App, user_id: UserId) -> None:
    await asyncio.sleep(0.05)
    await end(app, user_id)


def a_variant() -> Variant:
    return Variant(
        id=uuid4(),  # type: ignore[arg-type]
        sku="T",
        options={},
        price_minor=100,
        compare_at_minor=None,
        barcode=None,
        weight_g=None,
    )


def new_product() -> dict[str, Any]:
    return {"titles": {"en": "Tea"}, "variants": [{"sku": "T", "price": {"amount_minor": 1, "currency": "THB"}}]}
