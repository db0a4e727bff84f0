"""A product for its seller: what every change of a product begins with.

The shop is locked: it closes before such a change, which is then refused, or after it.
"""

from __future__ import annotations

from commerce.domain.ids import ProductId, UserId
from commerce.domain.product import Product, ProductNotFoundError
from commerce.domain.shop import Shop
from commerce.usecases.ports import Tx


async def load_own_product(product_id: ProductId, user_id: UserId, tx: Tx) -> tuple[Product, Shop]:
    """The product and its shop, for the owner.

    Raises ``ProductNotFoundError`` where others may not know of it, else ``NotShopOwnerError`` and
    ``ShopClosedError``.
    """
    product = await tx.products.get(product_id)
    shop = await tx.shops.lock(product.shop_id) if product else None
    if product is None or shop is None:
        raise ProductNotFoundError
    if user_id != shop.owner_id and not product.status.is_public:
        raise ProductNotFoundError
    shop.require_seller(user_id)
    return product, shop
