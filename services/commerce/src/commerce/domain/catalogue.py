"""A catalogue to load at once: categories, shops, and products with what is on hand of each."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.category import Category
from commerce.domain.product import Product
from commerce.domain.shop import Shop
from commerce.domain.stock import StockItem
from kernel.country import Country


@dataclass(frozen=True, slots=True)
class StockedProduct:
    """A product with the units on hand of each of its variants."""

    product: Product
    country: Country
    on_hand: tuple[int, ...]

    def stock_items(self) -> list[StockItem]:
        """The first figures of its variants."""
        return [
            StockItem(
                variant_id=variant.id,
                product_id=self.product.id,
                shop_id=self.product.shop_id,
                on_hand=on_hand,
                reserved=0,
                version=1,
                count_version=1,
            )
            for variant, on_hand in zip(self.product.variants, self.on_hand, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything there is to load."""

    categories: tuple[Category, ...]
    shops: tuple[Shop, ...]
    products: tuple[StockedProduct, ...]
