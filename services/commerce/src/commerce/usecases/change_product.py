"""The owner changes a product: texts, prices, status. Orders placed before keep what they were placed with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from commerce.domain.category import CategoryNotFoundError
from commerce.domain.ids import CategoryId, ProductId, UserId, VariantId
from commerce.domain.product import Product, ProductStatus, Variant, VariantNotFoundError
from commerce.domain.texts import LocalisedText
from commerce.usecases.load_own_product import load_own_product
from commerce.usecases.ports import Precondition, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProduct:
    """None means: as it is."""

    user_id: UserId
    product_id: ProductId
    precondition: Precondition
    titles: LocalisedText | None = None
    descriptions: LocalisedText | None = None
    category_id: CategoryId | None = None
    tags: tuple[str, ...] | None = None
    media: tuple[str, ...] | None = None
    status: ProductStatus | None = None
    prices_minor: Mapping[VariantId, int] | None = None


async def change_product(command: ChangeProduct, tx: Tx) -> Product:
    """The product as changed, unless it is not what the seller saw; where it is or was on sale, its event leaves.

    Raises ``ProductNotFoundError``, ``NotShopOwnerError``, ``ProductChangedError``, ``VariantNotFoundError``,
    ``CategoryNotFoundError`` and ``ProductStatusRefusedError``.
    """
    _, shop = await load_own_product(command.product_id, command.user_id, tx)
    product = await tx.products.lock(command.product_id)
    command.precondition.check(product.version)
    if command.category_id and command.category_id not in await tx.categories.tree():
        raise CategoryNotFoundError(pointer="/category_id")
    changed = replace(
        product,
        titles=command.titles or product.titles,
        descriptions=command.descriptions or product.descriptions,
        category_id=command.category_id or product.category_id,
        tags=product.tags if command.tags is None else command.tags,
        media=product.media if command.media is None else command.media,
        status=product.next_status(command.status or product.status),
        variants=_repriced(product, command.prices_minor or {}),
        version=product.version + 1,
    )
    await tx.products.save(changed, product.version)
    if ProductStatus.ACTIVE in {product.status, changed.status}:
        tx.events.product_changed(changed, shop, tx.now)
    tx.hints.product_changed(changed.id)
    return changed


def _repriced(product: Product, prices_minor: Mapping[VariantId, int]) -> tuple[Variant, ...]:
    unknown = prices_minor.keys() - {variant.id for variant in product.variants}
    if unknown:
        raise VariantNotFoundError(pointer=f"/prices/{next(iter(unknown))}")
    return tuple(
        replace(variant, price_minor=prices_minor.get(variant.id, variant.price_minor)) for variant in product.variants
    )
