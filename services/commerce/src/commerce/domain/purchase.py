"""From offers to orders: one order per shop with its totals, all in one checkout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from commerce.domain.address import Address
from commerce.domain.checkout import Checkout, PlacedCheckout, StockState
from commerce.domain.ids import CheckoutId, LineId, OrderId, ShopId, UserId, VariantId
from commerce.domain.offer import Offer
from commerce.domain.order import Order, OrderLine, OrderPlacement
from commerce.domain.tax import rate_bp
from commerce.domain.totals import PricedLine, TotalTooLargeError, order_totals
from kernel.country import Country
from kernel.money import AMOUNT_MINOR_MAX


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """What is bought of offers of one currency: who buys it, when, and to which address.

    ``demand``: units by variant, in order of id. ``new_id`` gives an id that is after all it gave before.
    """

    buyer_id: UserId
    language: str
    demand: Mapping[VariantId, int]
    offers: Mapping[VariantId, Offer]
    ship_to: Address | None
    note: str
    at: datetime
    new_id: Callable[[], UUID]

    @property
    def countries(self) -> list[Country]:
        """The country of each order there will be."""
        return [offers[0].country for offers in self._by_shop]

    def place(self, numbers: Sequence[str]) -> PlacedCheckout:
        """The checkout, whose stock is held, with a number for each of its orders. Raises ``TotalTooLargeError``."""
        checkout_id = CheckoutId(self.new_id())
        placements = tuple(
            self._placement(checkout_id, number, offers) for number, offers in zip(numbers, self._by_shop, strict=True)
        )
        total = sum(placement.order.total_minor for placement in placements)
        if total > AMOUNT_MINOR_MAX:
            raise TotalTooLargeError
        checkout = Checkout(
            id=checkout_id,
            buyer_id=self.buyer_id,
            currency=placements[0].order.currency,
            total_minor=total,
            demand=self.demand,
            stock_state=StockState.HELD,
            placed_at=self.at,
        )
        return PlacedCheckout(checkout=checkout, placements=placements)

    @cached_property
    def _by_shop(self) -> list[list[Offer]]:
        by_shop: dict[ShopId, list[Offer]] = {}
        for variant_id in self.demand:
            by_shop.setdefault(self.offers[variant_id].shop_id, []).append(self.offers[variant_id])
        return list(by_shop.values())

    def _placement(self, checkout_id: CheckoutId, number: str, offers: Sequence[Offer]) -> OrderPlacement:
        lines = tuple(map(self._line, offers))
        shop = offers[0]
        totals = order_totals(
            [
                PricedLine(unit_price_minor=line.unit_price_minor, quantity=line.quantity, tax_rate_bp=line.tax_rate_bp)
                for line in lines
            ],
            prices_include_tax=shop.prices_include_tax,
        )
        order = Order(
            id=OrderId(self.new_id()),
            number=number,
            checkout_id=checkout_id,
            buyer_id=self.buyer_id,
            shop_id=shop.shop_id,
            shop_name=shop.shop_name,
            seller_id=shop.seller_id,
            country=shop.country,
            currency=shop.currency,
            total_minor=totals.total_minor,
        )
        order.place(self.at)
        return OrderPlacement(
            order=order,
            lines=lines,
            totals=totals,
            prices_include_tax=shop.prices_include_tax,
            ship_to=self.ship_to,
            note=self.note,
            placed_at=self.at,
        )

    def _line(self, offer: Offer) -> OrderLine:
        return OrderLine(
            id=LineId(self.new_id()),
            product_id=offer.product_id,
            variant_id=offer.variant_id,
            sku=offer.sku,
            title=offer.titles.read(self.language, fallback=offer.shop_language),
            options=offer.options,
            quantity=self.demand[offer.variant_id],
            unit_price_minor=offer.price_minor,
            tax_class=offer.tax_class,
            tax_rate_bp=rate_bp(offer.country, offer.tax_class, self.at),
        )
