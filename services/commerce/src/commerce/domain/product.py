"""A product and its variants: what may be put on sale, and when it may be bought.

Invariant PRD-1: every variant has exactly one value for each option of its product, and no two have the same.
Invariant PRD-2: an active product has at least one active variant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from commerce.domain.ids import CategoryId, ProductId, ShopId, VariantId
from commerce.domain.tax import TaxClass
from commerce.domain.texts import LocalisedText
from kernel.errors import DomainError, Kind
from kernel.money import Currency


class ProductStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    DISCONTINUED = "discontinued"
    ARCHIVED = "archived"

    @property
    def is_public(self) -> bool:
        """Everybody may read the product; drafts and archived ones are for the owner only."""
        return self in {ProductStatus.ACTIVE, ProductStatus.DISCONTINUED}


_NEXT: Final = {
    ProductStatus.DRAFT: {ProductStatus.ACTIVE, ProductStatus.ARCHIVED},
    ProductStatus.ACTIVE: {ProductStatus.DISCONTINUED, ProductStatus.ARCHIVED},
    ProductStatus.DISCONTINUED: {ProductStatus.ACTIVE, ProductStatus.ARCHIVED},
    ProductStatus.ARCHIVED: set[ProductStatus](),
}
_SKU: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")


PRICE_MINOR_MAX: Final = 10**12  # far below what an amount can say, so that sums of prices seldom come near it


class ProductNotFoundError(DomainError):
    code, kind = "commerce.product.not_found", Kind.NOT_FOUND
    title = "There is no such product"


class ProductUnreadableError(DomainError):
    """What is stored of the product is damaged; nobody sees or buys it before it is restored."""

    code, kind = "commerce.product.unreadable", Kind.UNAVAILABLE
    title = "The product cannot be read"


class VariantNotFoundError(DomainError):
    code, kind = "commerce.variant.not_found", Kind.NOT_FOUND
    title = "There is no such variant"


class ProductStatusRefusedError(DomainError):
    code, kind = "commerce.product.status_refused", Kind.CONFLICT
    title = "A product cannot go from its present status to that one"


class PriceCurrencyError(DomainError):
    code, kind = "commerce.product.price_currency", Kind.INVALID
    title = "Prices are in the shop's currency"


class ProductChangedError(DomainError):
    code, kind = "commerce.product.changed", Kind.PRECONDITION
    title = "The product was changed in the meantime"


class VariantOptionsInvalidError(DomainError):
    code, kind = "commerce.variant.options_invalid", Kind.INVALID
    title = "Each variant needs one listed value for every option, and no two variants the same"


class SkuInvalidError(DomainError):
    code, kind = "commerce.variant.sku_invalid", Kind.INVALID
    title = "A SKU starts with a letter or digit and has at most 64 of A-Z a-z 0-9 . _ / -"


class SkuTakenError(DomainError):
    code, kind = "commerce.variant.sku_taken", Kind.CONFLICT
    title = "Another variant of this shop has this SKU"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOption:
    """What the buyer chooses between, e.g. colour: red, blue."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What is put in a cart."""

    id: VariantId
    sku: str
    options: Mapping[str, str]
    price_minor: int
    compare_at_minor: int | None
    barcode: str | None
    weight_g: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product with its variants, in the order the seller gave them."""

    id: ProductId
    shop_id: ShopId
    category_id: CategoryId | None
    titles: LocalisedText
    descriptions: LocalisedText | None
    options: tuple[ProductOption, ...]
    variants: tuple[Variant, ...]
    currency: Currency
    tax_class: TaxClass
    tags: tuple[str, ...]
    media: tuple[str, ...]
    status: ProductStatus
    version: int
    created_at: datetime

    @property
    def price_from_minor(self) -> int:
        return min(variant.price_minor for variant in self.variants)

    @property
    def price_to_minor(self) -> int:
        return max(variant.price_minor for variant in self.variants)

    def checked(self) -> Product:
        """Itself. Raises ``VariantOptionsInvalidError``, ``SkuInvalidError`` and ``SkuTakenError``."""
        _check_skus(self.variants)
        _check_options(self.options, self.variants)
        return self

    def next_status(self, status: ProductStatus) -> ProductStatus:
        """The status to move to; the present one is no move. Raises ``ProductStatusRefusedError``."""
        if status is not self.status and status not in _NEXT[self.status]:
            raise ProductStatusRefusedError(f"{self.status} → {status}", pointer="/status")
        return status


def _check_skus(variants: Sequence[Variant]) -> None:
    for index, variant in enumerate(variants):
        if not _SKU.fullmatch(variant.sku):
            raise SkuInvalidError(pointer=f"/variants/{index}/sku")
    sku, count = Counter(variant.sku for variant in variants).most_common(1)[0]
    if count > 1:
        raise SkuTakenError(f"{sku} stands there {count} times", pointer="/variants")


def _check_options(options: Sequence[ProductOption], variants: Sequence[Variant]) -> None:
    allowed = {option.name: set(option.values) for option in options}
    seen: set[tuple[str, ...]] = set()
    for index, variant in enumerate(variants):
        fits = variant.options.keys() == allowed.keys() and all(
            value in allowed[name] for name, value in variant.options.items()
        )
        choice = tuple(variant.options.get(name, "") for name in allowed)
        if not fits or choice in seen:
            raise VariantOptionsInvalidError(pointer=f"/variants/{index}/options")
        seen.add(choice)
