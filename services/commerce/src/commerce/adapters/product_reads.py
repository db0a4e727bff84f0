"""Read one product: from the cache where that is fresh, with the stock of this moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.postgres import Database
from commerce.adapters.product_cache import ProductCache
from commerce.adapters.product_document import product_document
from commerce.adapters.product_search_reads import StockFigures, stock_figures
from commerce.adapters.product_store import ProductStore
from commerce.adapters.shop_store import ShopStore
from commerce.domain.ids import ProductId, UserId, VariantId
from commerce.domain.product import ProductNotFoundError, ProductStatus
from commerce.usecases.load_own_product import SEEN_BY_ALL


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """The document and its variants' figures."""

    document: Mapping[str, Any]
    figures: Mapping[VariantId, StockFigures]

    def require_seen_by(self, user_id: UserId | None) -> None:
        """Drafts and archived products are for the owner only. Raises ``ProductNotFoundError``."""
        if ProductStatus(self.document["status"]) not in SEEN_BY_ALL and not self.owned_by(user_id):
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
