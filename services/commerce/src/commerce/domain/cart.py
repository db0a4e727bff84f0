"""A cart: what a person means to buy, and the price they saw when they put it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from commerce.domain.ids import VariantId
from kernel.errors import DomainError, Kind
from kernel.money import Currency

ITEMS_MAX: Final = 100
QUANTITY_MAX: Final = 9_999


class CartFullError(DomainError):
    code, kind = "commerce.cart.full", Kind.CONFLICT
    title = f"A cart has at most {ITEMS_MAX} different items"


class PriceChangedError(DomainError):
    code, kind = "commerce.cart.price_changed", Kind.CONFLICT
    title = "A price is not what it was when the item was chosen"


class NotForSaleError(DomainError):
    code, kind = "commerce.product.not_for_sale", Kind.CONFLICT
    title = "A product is not for sale now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit costs. Two prices are the same only in one currency."""

    amount_minor: int
    currency: Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class CartItem:
    """Units of a variant at the price seen."""

    variant_id: VariantId
    quantity: int
    price: Price
