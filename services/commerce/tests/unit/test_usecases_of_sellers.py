"""Every branch of what a shop's owner asks for, on stores in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from commerce.domain.account import AccountEndedError
from commerce.domain.cart import CartItem, Price
from commerce.domain.catalogue import Catalogue, StockedProduct
from commerce.domain.category import Category, CategoryNotFoundError
from commerce.domain.ids import CategoryId, CheckoutId, ProductId, ShopId, VariantId
from commerce.domain.product import (
    Product,
    ProductChangedError,
    ProductNotFoundError,
    ProductStatus,
    ProductStatusRefusedError,
    SkuTakenError,
    VariantNotFoundError,
)
from commerce.domain.shop import (
    NotShopOwnerError,
    ShopClosedError,
    ShopNotFoundError,
    ShopSlugInvalidError,
    ShopSlugTakenError,
    ShopStatus,
)
from commerce.domain.stock import BelowReservedError, Hold
from commerce.domain.texts import LocalisedText
from commerce.usecases.add_product import AddProduct, NewVariant, add_product
from commerce.usecases.change_product import ChangeProduct, change_product
from commerce.usecases.end_account import EndAccount, end_account
from commerce.usecases.expire_holds import ExpireHolds, expire_holds
from commerce.usecases.load_catalogue import LoadCatalogue, load_catalogue
from commerce.usecases.load_own_product import load_own_product
from commerce.usecases.open_shop import OpenShop, open_shop
from commerce.usecases.set_stock import SetStock, set_stock
from commerce_testing.builders import BUYER, NOW, SELLER, SHOP_ID, STRANGER, a_product, a_shop, a_variant
from commerce_testing.fakes import FakeTx
from kernel.country import Country
from kernel.money import Currency

TEAS = Category(id=CategoryId(uuid4()), parent_id=None, slug="teas", titles=LocalisedText({"en": "Teas"}), position=0)


class Seen:
    """The precondition of somebody who saw this version, or ``*``."""

    def __init__(self, version: object = "*") -> None:
        self.version = version

    def check(self, version: object) -> None:
        if self.version not in {"*", version}:
            raise ProductChangedError


@pytest.fixture
def tx() -> FakeTx:
    return FakeTx()


@pytest.fixture
def product(tx: FakeTx) -> Product:
    return tx.put_on_sale(a_product(), a_shop())


class TestOpenShop:
    async def test_what_is_left_out_follows_from_country_and_name(self, tx: FakeTx) -> None:
        shop = await open_shop(OpenShop(owner_id=SELLER, name="Trà Đá", country=Country.VN), tx)
        assert (shop.slug, shop.language, shop.currency) == (f"tra-da-{shop.id.hex[-8:]}", "vi", Currency.VND)
        assert tx.events.sent == [("shop_opened", shop.id)]
        assert tx.shops.by_id == {shop.id: shop}
        assert tx.accounts.locked == [SELLER]

    async def test_what_is_given_stays(self, tx: FakeTx) -> None:
        command = OpenShop(owner_id=SELLER, name="Tea", country=Country.TH, slug="tea-1", language="en")
        shop = await open_shop(command, tx)
        assert (shop.slug, shop.language) == ("tea-1", "en")

    @pytest.mark.parametrize(("slug", "refusal"), [("No!", ShopSlugInvalidError), ("tea-house", ShopSlugTakenError)])
    async def test_addresses_that_cannot_be(self, tx: FakeTx, slug: str, refusal: type[Exception]) -> None:
        tx.shops.by_id[SHOP_ID] = a_shop()
        with pytest.raises(refusal):
            await open_shop(OpenShop(owner_id=SELLER, name="Tea", country=Country.TH, slug=slug), tx)
        assert tx.events.sent == []

    async def test_not_for_whose_account_ended(self, tx: FakeTx) -> None:
        tx.accounts.ended[SELLER] = NOW
        with pytest.raises(AccountEndedError):
            await open_shop(OpenShop(owner_id=SELLER, name="Tea", country=Country.TH), tx)
        assert tx.shops.by_id == {}


class TestAddProduct:
    @staticmethod
    def command(**parts: Any) -> AddProduct:
        made: dict[str, Any] = {
            "user_id": SELLER,
            "shop_id": SHOP_ID,
            "titles": LocalisedText({"en": "Tea"}),
            "variants": [NewVariant(variant=a_variant(), on_hand=7)],
        }
        return AddProduct(**made | parts)

    async def test_an_active_one_is_on_sale_with_its_stock(self, tx: FakeTx) -> None:
        tx.shops.by_id[SHOP_ID] = a_shop()
        tx.categories.by_id[TEAS.id] = TEAS
        product = await add_product(self.command(category_id=TEAS.id), tx)
        assert tx.products.by_id == {product.id: product}
        assert (product.currency, product.category_id, product.created_at) == (Currency.THB, TEAS.id, NOW)
        [item] = tx.stock.items.values()
        assert (item.variant_id, item.on_hand, item.reserved) == (product.variants[0].id, 7, 0)
        assert tx.events.sent == [("product_changed", product.id)]

    async def test_of_a_draft_nobody_hears(self, tx: FakeTx) -> None:
        tx.shops.by_id[SHOP_ID] = a_shop()
        await add_product(self.command(status=ProductStatus.DRAFT), tx)
        assert tx.events.sent == []

    @pytest.mark.parametrize(
        ("parts", "shop", "refusal"),
        [
            ({"shop_id": ShopId(UUID(int=1))}, a_shop(), ShopNotFoundError),
            ({"user_id": STRANGER}, a_shop(), NotShopOwnerError),
            ({}, a_shop(status=ShopStatus.CLOSED), ShopClosedError),
            ({"category_id": TEAS.id}, a_shop(), CategoryNotFoundError),
            ({"variants": [NewVariant(variant=a_variant("A"), on_hand=1)] * 2}, a_shop(), SkuTakenError),
        ],
    )
    async def test_refused(self, tx: FakeTx, parts: Any, shop: Any, refusal: type[Exception]) -> None:
        tx.shops.by_id[SHOP_ID] = shop
        with pytest.raises(refusal):
            await add_product(self.command(**parts), tx)
        assert (tx.products.by_id, tx.stock.items, tx.events.sent) == ({}, {}, [])


class TestLoadOwnProduct:
    async def test_for_its_owner(self, tx: FakeTx, product: Product) -> None:
        assert await load_own_product(product.id, SELLER, tx) == (product, tx.shops.by_id[SHOP_ID])

    @pytest.mark.parametrize(
        ("status", "refusal"),
        [
            (ProductStatus.ACTIVE, NotShopOwnerError),
            (ProductStatus.DISCONTINUED, NotShopOwnerError),
            (ProductStatus.DRAFT, ProductNotFoundError),
            (ProductStatus.ARCHIVED, ProductNotFoundError),
        ],
    )
    async def test_others_learn_of_none_that_is_hidden(
        self, tx: FakeTx, status: ProductStatus, refusal: type[Exception]
    ) -> None:
        product = tx.put_on_sale(a_product(status=status), a_shop())
        with pytest.raises(refusal):
            await load_own_product(product.id, STRANGER, tx)

    async def test_no_product_and_no_shop(self, tx: FakeTx) -> None:
        with pytest.raises(ProductNotFoundError):
            await load_own_product(ProductId(uuid4()), SELLER, tx)
        product = a_product()
        tx.products.by_id[product.id] = product
        with pytest.raises(ProductNotFoundError):
            await load_own_product(product.id, SELLER, tx)

    async def test_not_in_a_closed_shop(self, tx: FakeTx) -> None:
        product = tx.put_on_sale(a_product(), a_shop(status=ShopStatus.CLOSED))
        with pytest.raises(ShopClosedError):
            await load_own_product(product.id, SELLER, tx)


class TestChangeProduct:
    @staticmethod
    def command(product: Product, **parts: Any) -> ChangeProduct:
        made: dict[str, Any] = {"user_id": SELLER, "product_id": product.id, "precondition": Seen(1)}
        return ChangeProduct(**made | parts)

    async def test_what_is_left_out_stays(self, tx: FakeTx) -> None:
        product = tx.put_on_sale(a_product(tags=("a",), media=("https://x",), category_id=TEAS.id), a_shop())
        changed = await change_product(self.command(product), tx)
        assert changed == replace(product, version=2)
        assert tx.products.by_id[product.id] == changed
        assert tx.events.sent == [("product_changed", product.id)]
        assert tx.hints.products == {product.id}

    async def test_what_is_given_is_taken(self, tx: FakeTx, product: Product) -> None:
        tx.categories.by_id[TEAS.id] = TEAS
        titles, about = LocalisedText({"en": "Oolong"}), LocalisedText({"en": "Half"})
        [variant] = product.variants
        command = self.command(
            product,
            titles=titles,
            descriptions=about,
            category_id=TEAS.id,
            tags=(),
            media=("https://y",),
            status=ProductStatus.DISCONTINUED,
            prices_minor={variant.id: 5},
        )
        assert await change_product(command, tx) == replace(
            product,
            titles=titles,
            descriptions=about,
            category_id=TEAS.id,
            media=("https://y",),
            status=ProductStatus.DISCONTINUED,
            variants=(replace(variant, price_minor=5),),
            version=2,
        )

    @pytest.mark.parametrize(
        ("before", "after", "is_sent"),
        [
            (ProductStatus.DRAFT, ProductStatus.DRAFT, False),
            (ProductStatus.DRAFT, ProductStatus.ACTIVE, True),
            (ProductStatus.ACTIVE, ProductStatus.ARCHIVED, True),
            (ProductStatus.DISCONTINUED, ProductStatus.ARCHIVED, False),
        ],
    )
    async def test_others_hear_of_it_where_it_is_or_was_on_sale(
        self, *, tx: FakeTx, before: ProductStatus, after: ProductStatus, is_sent: bool
    ) -> None:
        product = tx.put_on_sale(a_product(status=before), a_shop())
        await change_product(self.command(product, status=after), tx)
        assert bool(tx.events.sent) == is_sent
        assert tx.hints.products == {product.id}

    @pytest.mark.parametrize(
        ("parts", "refusal"),
        [
            ({"user_id": STRANGER}, NotShopOwnerError),
            ({"precondition": Seen(2)}, ProductChangedError),
            ({"category_id": TEAS.id}, CategoryNotFoundError),
            ({"status": ProductStatus.DRAFT}, ProductStatusRefusedError),
            ({"prices_minor": {VariantId(UUID(int=1)): 5}}, VariantNotFoundError),
        ],
    )
    async def test_refused(self, tx: FakeTx, product: Product, parts: Any, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            await change_product(self.command(product, **parts), tx)
        assert tx.products.by_id == {product.id: product}
        assert tx.events.sent == []


class TestSetStock:
    @pytest.fixture
    def count(self, tx: FakeTx, product: Product) -> Callable[..., Awaitable[Any]]:
        async def count(on_hand: int, **parts: Any) -> Any:
            made: dict[str, Any] = {
                "user_id": SELLER,
                "product_id": product.id,
                "variant_id": product.variants[0].id,
                "precondition": Seen(1),
            }
            return await set_stock(SetStock(on_hand=on_hand, **made | parts), tx)

        return count

    async def test_a_count_that_differs_is_written(self, tx: FakeTx, product: Product, count: Any) -> None:
        item = await count(4)
        assert (item.on_hand, item.count_version) == (4, 2)
        assert tx.stock.items[item.variant_id] == item
        assert tx.events.sent == [("stock_set", product.variants[0].id)]

    async def test_the_same_count_changes_nothing(self, tx: FakeTx, count: Any) -> None:
        assert (await count(10)).count_version == 1
        assert (tx.stock.moved, tx.events.sent) == ([], [])

    @pytest.mark.parametrize(
        ("parts", "refusal"),
        [
            ({"variant_id": VariantId(UUID(int=1))}, VariantNotFoundError),
            ({"precondition": Seen(2)}, ProductChangedError),
            ({"user_id": STRANGER}, NotShopOwnerError),
        ],
    )
    async def test_refused(self, tx: FakeTx, count: Any, parts: Any, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            await count(4, **parts)
        assert tx.stock.moved == []

    @pytest.mark.parametrize("held_for_s", [60, 0])
    async def test_not_below_what_is_held_unless_its_time_is_over(
        self, tx: FakeTx, product: Product, count: Any, held_for_s: int
    ) -> None:
        hold_units(tx, product.variants[0].id, 3, held_for_s)
        if held_for_s:
            with pytest.raises(BelowReservedError):
                await count(2)
            assert tx.stock.moved == []
        else:
            item = await count(2)
            assert (item.on_hand, item.reserved, tx.stock.holds) == (2, 0, {})


def hold_units(tx: FakeTx, variant_id: VariantId, quantity: int, for_s: int) -> None:
    checkout_id = CheckoutId(uuid4())
    tx.stock.items[variant_id].reserved += quantity
    tx.stock.holds[checkout_id, variant_id] = Hold(
        checkout_id=checkout_id, variant_id=variant_id, quantity=quantity, expires_at=NOW + timedelta(seconds=for_s)
    )


async def test_only_holds_whose_time_is_over_expire(tx: FakeTx, product: Product) -> None:
    [variant] = product.variants
    hold_units(tx, variant.id, 3, 0)
    hold_units(tx, variant.id, 2, 60)
    await expire_holds(ExpireHolds(variant_ids=[variant.id]), tx)
    assert tx.stock.items[variant.id].reserved == 2
    assert [hold.quantity for hold in tx.stock.holds.values()] == [2]
    assert tx.events.sent == [("stock_expired", variant.id)]


async def test_an_account_ends_once(tx: FakeTx, product: Product) -> None:
    draft = a_product(status=ProductStatus.DRAFT)
    tx.products.by_id[draft.id] = draft
    mine = CartItem(variant_id=product.variants[0].id, quantity=1, price=Price(amount_minor=1, currency=Currency.THB))
    for user_id in (SELLER, BUYER):
        await tx.carts.put(user_id, mine, NOW)
    await end_account(EndAccount(user_id=SELLER, ended_at=NOW), tx)
    assert tx.shops.by_id[SHOP_ID].status is ShopStatus.CLOSED
    assert {each.status for each in tx.products.by_id.values()} == {ProductStatus.ARCHIVED}
    assert tx.carts.by_user == {BUYER: {mine.variant_id: mine}}
    assert tx.events.sent == [("product_withdrawn", product.id)]
    assert tx.hints.products == {product.id}
    await end_account(EndAccount(user_id=SELLER, ended_at=NOW), tx)
    assert tx.events.sent == [("product_withdrawn", product.id)]
    assert tx.shops.by_id[SHOP_ID].version == 2


async def test_a_catalogue_adds_what_is_missing(tx: FakeTx) -> None:
    old, new = a_product(a_variant("A")), a_product(a_variant("B"))
    stocked = [StockedProduct(each, Country.TH, (5,)) for each in (old, new)]
    first = LoadCatalogue(catalogue=Catalogue((TEAS,), (a_shop(),), (stocked[0],)))
    assert await load_catalogue(first, tx) == (1, 1)
    assert tx.events.sent == [("shop_opened", SHOP_ID), ("product_changed", old.id)]
    again = LoadCatalogue(catalogue=Catalogue((TEAS,), (a_shop(),), tuple(stocked)))
    assert await load_catalogue(again, tx) == (0, 1)
    assert await load_catalogue(again, tx) == (0, 0)
    assert tx.events.names() == ["shop_opened", "product_changed", "product_changed"]
    assert [item.on_hand for item in tx.stock.items.values()] == [5, 5]
    assert tx.categories.by_id == {TEAS.id: TEAS}
