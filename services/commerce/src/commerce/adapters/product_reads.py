"""One product as readers get it: from the cache where that is fresh, with the stock of this moment.

What is cached, and what views are made from, is one JSON document. Stock is not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.postgres import Database
from commerce.adapters.product_cache import ProductCache
from commerce.adapters.product_store import ProductStore
from commerce.adapters.shop_store import ShopStore
from commerce.adapters.stock_reads import StockFigures, stock_figures
from commerce.domain.ids import ProductId, UserId, VariantId
from commerce.domain.product import Product, ProductNotFoundError, ProductStatus, Variant
from commerce.domain.shop import Shop
from kernel.money import Currency


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """The document and its variants' figures."""

    document: Mapping[str, Any]
    figures: Mapping[VariantId, StockFigures]

    def require_seen_by(self, user_id: UserId | None) -> None:
        """Drafts and archived products are for the owner only. Raises ``ProductNotFoundError``."""
        if not ProductStatus(self.document["status"]).is_public and not self.owned_by(user_id):
            raise ProductNotFoundError

    def owned_by(self, user_id: UserId | None) -> bool:
        return str(self.document["owner_id"]) == str(user_id)


async def find_product(
    product_id: ProductId, *, database: Database, cache: ProductCache, now: datetime
) -> FoundProduct:
    """The product whatever its status. Raises ``ProductNotFoundError``."""
    async with database.read() as conn:
        version, figures = await stock_figures(conn, product_id, now)
    if not version:
        raise ProductNotFoundError
    document = await cache.get(product_id)
    if document is None or document["version"] != version:
        document = await _load(product_id, database)
        await cache.put(product_id, document)
    return FoundProduct(document, figures)


async def _load(product_id: ProductId, database: Database) -> dict[str, Any]:
    async with database.read() as conn:
        product = await ProductStore(conn).get(product_id)
        shop = await ShopStore(conn).get(product.shop_id) if product else None
    if product is None or shop is None:
        raise ProductNotFoundError
    return product_document(product, shop)


def product_document(product: Product, shop: Shop) -> dict[str, Any]:
    """Everything about the product that changes only with its version."""
    return {
        "product_id": str(product.id),
        "shop_id": str(shop.id),
        "shop_name": shop.name,
        "owner_id": str(shop.owner_id),
        "language": shop.language,
        "country": shop.country.value,
        "category_id": str(product.category_id) if product.category_id else None,
        "titles": dict(product.titles.by_language),
        "descriptions": dict(product.descriptions.by_language) if product.descriptions else {},
        "options": [{"name": option.name, "values": list(option.values)} for option in product.options],
        "variants": [_variant(variant, product.currency) for variant in product.variants],
        "tax_class": product.tax_class.value,
        "prices_include_tax": shop.prices_include_tax,
        "tags": list(product.tags),
        "media": list(product.media),
        "status": product.status.value,
        "version": product.version,
        "created_at": product.created_at.isoformat(),
    }


def _variant(variant: Variant, currency: Currency) -> dict[str, Any]:
    return {
        "variant_id": str(variant.id),
        "sku": variant.sku,
        "options": dict(variant.options),
        "price": _money(variant.price_minor, currency),
        "compare_at": _money(variant.compare_at_minor, currency) if variant.compare_at_minor else None,
        "barcode": variant.barcode,
        "weight_g": variant.weight_g,
    }


def _money(amount_minor: int, currency: Currency) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": currency.value}
