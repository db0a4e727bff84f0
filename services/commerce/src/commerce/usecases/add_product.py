"""The owner puts a product with its variants and first stock into a shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from commerce.domain.catalogue import StockedProduct
from commerce.domain.category import CategoryNotFoundError
from commerce.domain.ids import CategoryId, ProductId, ShopId, UserId
from commerce.domain.product import Product, ProductOption, ProductStatus, Variant
from commerce.domain.shop import ShopNotFoundError
from commerce.domain.tax import TaxClass
from commerce.domain.texts import LocalisedText
from commerce.usecases.ports import Tx
from kernel.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVariant:
    """A variant with the units of it that are on hand."""

    variant: Variant
    on_hand: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddProduct:
    user_id: UserId
    shop_id: ShopId
    titles: LocalisedText
    variants: Sequence[NewVariant]
    descriptions: LocalisedText | None = None
    category_id: CategoryId | None = None
    options: tuple[ProductOption, ...] = ()
    tax_class: TaxClass = TaxClass.GENERAL
    tags: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    status: ProductStatus = field(default=ProductStatus.ACTIVE)


async def add_product(command: AddProduct, tx: Tx) -> Product:
    """Store the product; when it is active, its event leaves.

    Raises ``ShopNotFoundError``, ``NotShopOwnerError``, ``ShopClosedError``, ``CategoryNotFoundError``,
    ``SkuInvalidError``, ``SkuTakenError`` and ``VariantOptionsInvalidError``.
    """
    shop = await tx.shops.lock(command.shop_id)
    if shop is None:
        raise ShopNotFoundError
    shop.require_seller(command.user_id)
    if command.category_id and command.category_id not in await tx.categories.tree():
        raise CategoryNotFoundError(pointer="/category_id")
    product = Product(
        id=ProductId(uuid7()),
        shop_id=shop.id,
        category_id=command.category_id,
        titles=command.titles,
        descriptions=command.descriptions,
        options=command.options,
        variants=tuple(new.variant for new in command.variants),
        currency=shop.currency,
        tax_class=command.tax_class,
        tags=command.tags,
        media=command.media,
        status=command.status,
        version=1,
        created_at=tx.now,
    ).checked()
    stocked = StockedProduct(product, shop.country, tuple(new.on_hand for new in command.variants))
    await tx.products.add_many([(product, shop.country)])
    await tx.stock.add(stocked.stock_items(), tx.now)
    if product.status is ProductStatus.ACTIVE:
        tx.events.product_changed(product, shop, tx.now)
    return product
