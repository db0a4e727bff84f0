"""Bodies and views of carts."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from chassis.http import Body, MoneyView, View
from commerce.domain.cart import CartItem
from commerce.domain.offer import Offer
from commerce.entrypoints.schemas.parts import Quantity, money
from kernel.money import AMOUNT_MINOR_MAX, Currency


class CartItemBody(Body):
    quantity: Quantity


class CartItemView(View):
    """``price`` is what was seen when it was put there; ``price_now`` is what it would be sold for."""

    variant_id: UUID
    product_id: UUID | None
    shop_id: UUID | None
    shop_name: str | None
    title: str | None
    options: dict[str, str]
    quantity: int
    price: MoneyView
    price_now: MoneyView | None
    price_changed: bool
    for_sale: bool
    available: int

    @classmethod
    def of(cls, item: CartItem, offer: Offer | None, available: int, language: str) -> Self:
        now = money(offer.price_minor, offer.currency) if offer else None
        seen = money(item.price.amount_minor, item.price.currency)
        return cls(
            variant_id=item.variant_id,
            product_id=offer.product_id if offer else None,
            shop_id=offer.shop_id if offer else None,
            shop_name=offer.shop_name if offer else None,
            title=offer.titles.read(language, fallback=offer.shop_language) if offer else None,
            options=dict(offer.options) if offer else {},
            quantity=item.quantity,
            price=seen,
            price_now=now,
            price_changed=now is not None and now != seen,
            for_sale=offer is not None and offer.for_sale,
            available=available,
        )


class CartView(View):
    """``subtotals``: what the items for sale come to now, per currency, before tax that is not in the prices.

    A currency is left out when they come to more than can be paid: such a cart cannot be ordered as it is.
    """

    items: list[CartItemView]
    subtotals: list[MoneyView]

    @classmethod
    def of(cls, items: list[CartItemView]) -> Self:
        sums: dict[Currency, int] = {}
        for item in items:
            if item.price_now and item.for_sale:
                currency = item.price_now.currency
                sums[currency] = sums.get(currency, 0) + item.price_now.amount_minor * item.quantity
        payable = {currency: amount for currency, amount in sorted(sums.items()) if amount <= AMOUNT_MINOR_MAX}
        return cls(items=items, subtotals=[money(amount, currency) for currency, amount in payable.items()])
