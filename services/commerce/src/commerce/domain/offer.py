"""What a variant is sold as at this moment, and whether it can be bought at the price a buyer saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commerce.domain.cart import NotForSaleError, Price, PriceChangedError
from commerce.domain.checkout import CurrenciesMixedError
from commerce.domain.ids import ProductId, ShopId, UserId, VariantId
from commerce.domain.product import VariantNotFoundError
from commerce.domain.tax import TaxClass
from commerce.domain.texts import LocalisedText
from kernel.country import Country
from kernel.money import Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Everything an order line is a snapshot of."""

    variant_id: VariantId
    product_id: ProductId
    shop_id: ShopId
    shop_name: str
    seller_id: UserId
    country: Country
    currency: Currency
    prices_include_tax: bool
    sku: str
    options: Mapping[str, str]
    titles: LocalisedText
    shop_language: str
    price_minor: int
    tax_class: TaxClass
    for_sale: bool

    @property
    def price(self) -> Price:
        return Price(amount_minor=self.price_minor, currency=self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLine:
    """So many of a variant, at the price the buyer saw (None: whatever it is)."""

    variant_id: VariantId
    quantity: int
    seen_price: Price | None = None


def require_offered(lines: Sequence[WantedLine], offers: Mapping[VariantId, Offer]) -> None:
    """Raises ``VariantNotFoundError``, ``NotForSaleError``, ``PriceChangedError`` and ``CurrenciesMixedError``."""
    for index, line in enumerate(lines):
        offer = offers.get(line.variant_id)
        pointer = f"/lines/{index}"
        if offer is None:
            raise VariantNotFoundError(pointer=f"{pointer}/variant_id")
        if not offer.for_sale:
            raise NotForSaleError(pointer=pointer, context={"variant_id": str(line.variant_id)})
        if line.seen_price not in {None, offer.price}:
            raise PriceChangedError(
                pointer=pointer,
                context={
                    "variant_id": str(line.variant_id),
                    "price": {"amount_minor": offer.price_minor, "currency": offer.currency.value},
                },
            )
    if len({offer.currency for offer in offers.values()}) > 1:
        raise CurrenciesMixedError(pointer="/lines")
