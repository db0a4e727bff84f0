"""Ready-made aggregates: what a test does not name is the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from commerce.domain.checkout import Checkout
from commerce.domain.ids import CheckoutId, OrderId, ProductId, ShopId, UserId, VariantId
from commerce.domain.order import Order
from commerce.domain.product import Product, ProductStatus, Variant
from commerce.domain.shop import Shop, ShopStatus
from commerce.domain.stock import StockItem
from commerce.domain.tax import TaxClass
from commerce.domain.texts import LocalisedText
from kernel.country import Country
from kernel.money import Currency

NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)
BUYER, SELLER, STRANGER = (UserId(UUID(int=number)) for number in (500, 501, 502))
SHOP_ID: Final = ShopId(UUID(int=901))


def a_shop(**parts: Any) -> Shop:
    """Open, in Thailand, of ``SELLER``."""
    made: dict[str, Any] = {
        "id": SHOP_ID,
        "owner_id": SELLER,
        "slug": "tea-house",
        "name": "Tea House",
        "descriptions": None,
        "country": Country.TH,
        "currency": Currency.THB,
        "language": "en",
        "prices_include_tax": True,
        "status": ShopStatus.OPEN,
        "version": 1,
        "created_at": NOW,
    }
    return Shop(**made | parts)


def a_variant(sku: str = "TEA-1", *, price_minor: int = 10_000, **parts: Any) -> Variant:
    """One without options, at 100 baht."""
    made: dict[str, Any] = {
        "id": VariantId(uuid4()),
        "sku": sku,
        "options": {},
        "price_minor": price_minor,
        "compare_at_minor": None,
        "barcode": None,
        "weight_g": None,
    }
    return Variant(**made | parts)


def a_product(*variants: Variant, **parts: Any) -> Product:
    """On sale in the shop of ``a_shop``; with one variant where none is given."""
    made: dict[str, Any] = {
        "id": ProductId(uuid4()),
        "shop_id": SHOP_ID,
        "category_id": None,
        "titles": LocalisedText({"en": "Tea"}),
        "descriptions": None,
        "options": (),
        "variants": variants or (a_variant(),),
        "currency": Currency.THB,
        "tax_class": TaxClass.GENERAL,
        "tags": (),
        "media": (),
        "status": ProductStatus.ACTIVE,
        "version": 1,
        "created_at": NOW,
    }
    return Product(**made | parts)


def a_stock_item(variant_id: VariantId, on_hand: int, shop_id: ShopId = SHOP_ID) -> StockItem:
    return StockItem(
        variant_id=variant_id,
        product_id=ProductId(UUID(int=900)),
        shop_id=shop_id,
        on_hand=on_hand,
        reserved=0,
        version=1,
        count_version=1,
    )


def a_checkout(checkout_id: CheckoutId, demand: Mapping[VariantId, int], *, total_minor: int = 100) -> Checkout:
    return Checkout(
        id=checkout_id,
        buyer_id=BUYER,
        currency=Currency.THB,
        total_minor=total_minor,
        demand=demand,
        placed_at=NOW,
    )


def an_order(checkout_id: CheckoutId, shop_id: ShopId = SHOP_ID, *, total_minor: int = 100) -> Order:
    """One for each checkout and shop: their ids give its own."""
    return Order(
        id=OrderId(UUID(int=(checkout_id.int + 1000 * shop_id.int) % 2**128)),
        number=str(checkout_id.int),
        checkout_id=checkout_id,
        buyer_id=BUYER,
        shop_id=shop_id,
        shop_name="Tea House",
        seller_id=SELLER,
        country=Country.TH,
        currency=Currency.THB,
        total_minor=total_minor,
    )
