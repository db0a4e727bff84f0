"""Bodies and views of checkouts and orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from chassis.http import Body, MoneyBody, MoneyView, PageQuery, ReadableText, View
from commerce.adapters.order_reads import OrderSummary
from commerce.domain.cart import ITEMS_MAX, Price
from commerce.domain.checkout import Checkout, PlacedCheckout
from commerce.domain.ids import UserId, VariantId, WalletId
from commerce.domain.offer import WantedLine
from commerce.domain.order import CancelReason, OrderFact, OrderLine, OrderPlacement, OrderStatus, PaymentStatus
from commerce.domain.totals import LineTotals
from commerce.entrypoints.schemas.parts import AddressBody, AddressView, Quantity, money
from commerce.entrypoints.schemas.reasons import cancelled_because
from commerce.usecases.place_order import PlaceOrder
from kernel.country import Country
from kernel.money import Currency


class LineBody(Body):
    """``seen_price``: the order is refused when the price is another by now."""

    variant_id: UUID
    quantity: Quantity
    seen_price: MoneyBody | None = None

    def to_line(self) -> WantedLine:
        return WantedLine(
            variant_id=VariantId(self.variant_id),
            quantity=self.quantity,
            seen_price=(
                Price(amount_minor=self.seen_price.amount_minor, currency=self.seen_price.currency)
                if self.seen_price
                else None
            ),
        )


class PayWithBody(Body):
    """The wallet to pay from; yours in the order's currency when left out."""

    wallet_id: UUID | None = None


class PlaceOrderBody(Body):
    """Without ``lines``, what is in the cart is ordered."""

    lines: Annotated[list[LineBody], Field(min_length=1, max_length=ITEMS_MAX)] | None = None
    pay_with: PayWithBody = PayWithBody()
    ship_to: AddressBody | None = None
    note: Annotated[ReadableText, Field(max_length=500)] = ""

    def to_command(self, buyer_id: UserId, language: str) -> PlaceOrder:
        return PlaceOrder(
            buyer_id=buyer_id,
            language=language,
            lines=[line.to_line() for line in self.lines] if self.lines is not None else None,
            wallet_id=WalletId(self.pay_with.wallet_id) if self.pay_with.wallet_id else None,
            ship_to=self.ship_to.to_address() if self.ship_to else None,
            note=self.note,
        )


class OrderLineView(View):
    """As it was sold. ``tax`` is inside ``total`` either way."""

    line_id: UUID
    product_id: UUID
    variant_id: UUID
    sku: str
    title: str
    options: dict[str, str]
    quantity: int
    unit_price: MoneyView
    subtotal: MoneyView
    discount: MoneyView
    tax_rate_bp: int
    tax: MoneyView
    total: MoneyView

    @classmethod
    def of(cls, line: OrderLine, totals: LineTotals, currency: Currency) -> Self:
        return cls.of_fields(
            line,
            line_id=line.id,
            options=dict(line.options),
            unit_price=money(line.unit_price_minor, currency),
            subtotal=money(totals.subtotal_minor, currency),
            discount=money(totals.discount_minor, currency),
            tax=money(totals.tax_minor, currency),
            total=money(totals.total_minor, currency),
        )


class OrderView(View):
    """One shop's part of a checkout. ``cancel_reason`` is a sentence in the reader's language."""

    order_id: UUID
    number: str
    checkout_id: UUID
    buyer_id: UUID
    shop_id: UUID
    shop_name: str
    status: OrderStatus
    payment_status: PaymentStatus
    cancel_reason_code: str | None
    cancel_reason: str | None
    lines: list[OrderLineView]
    subtotal: MoneyView
    discount: MoneyView
    tax: MoneyView
    shipping: MoneyView
    total: MoneyView
    prices_include_tax: bool
    country: Country
    ship_to: AddressView | None
    note: str
    placed_at: datetime

    @classmethod
    def of(cls, placement: OrderPlacement, language: str) -> Self:
        order, totals = placement.order, placement.totals
        currency = order.currency
        return cls.of_fields(
            order,
            order_id=order.id,
            cancel_reason_code=order.cancel_reason or None,
            cancel_reason=cancelled_because(order.cancel_reason, language),
            lines=[
                OrderLineView.of(line, line_totals, currency)
                for line, line_totals in zip(placement.lines, totals.lines, strict=True)
            ],
            subtotal=money(totals.subtotal_minor, currency),
            discount=money(totals.discount_minor, currency),
            tax=money(totals.tax_minor, currency),
            shipping=money(totals.shipping_minor, currency),
            total=money(totals.total_minor, currency),
            prices_include_tax=placement.prices_include_tax,
            ship_to=AddressView.of_fields(placement.ship_to) if placement.ship_to else None,
            note=placement.note,
            placed_at=placement.placed_at,
        )


class CheckoutView(View):
    """What is paid together. ``status``: pending, paid or failed; then every order says the same."""

    checkout_id: UUID
    status: PaymentStatus
    payment_status: PaymentStatus
    cancel_requested: bool
    cancel_reason_code: str | None
    cancel_reason: str | None
    total: MoneyView
    orders: list[OrderView]
    placed_at: datetime

    @classmethod
    def of(cls, placed: PlacedCheckout, language: str) -> Self:
        checkout: Checkout = placed.checkout
        reason_code = _reason_of(placed)
        return cls(
            checkout_id=checkout.id,
            status=checkout.payment_status,
            payment_status=checkout.payment_status,
            cancel_requested=checkout.cancel_requested_at is not None,
            cancel_reason_code=reason_code or None,
            cancel_reason=cancelled_because(reason_code, language),
            total=money(checkout.total_minor, checkout.currency),
            orders=[OrderView.of(placement, language) for placement in placed.placements],
            placed_at=checkout.placed_at,
        )


def _reason_of(placed: PlacedCheckout) -> str:
    """The reason of the order that made the checkout fail, where it is known, and not that another did."""
    reasons = [placement.order.cancel_reason for placement in placed.placements]
    return next((reason for reason in reasons if reason != CancelReason.PART_FAILED), reasons[0])


class OrdersQuery(PageQuery):
    status: OrderStatus | None = None


class OrderSummaryView(View):
    """An order in a list."""

    order_id: UUID
    number: str
    checkout_id: UUID
    shop_id: UUID
    shop_name: str
    status: OrderStatus
    payment_status: PaymentStatus
    cancel_reason_code: str | None
    cancel_reason: str | None
    total: MoneyView
    placed_at: datetime

    @classmethod
    def of(cls, order: OrderSummary, language: str) -> Self:
        return cls.of_fields(
            order,
            cancel_reason_code=order.cancel_reason or None,
            cancel_reason=cancelled_because(order.cancel_reason, language),
            total=money(order.total_minor, order.currency),
        )


class FactView(View):
    """Something that became true of the order."""

    kind: str
    reason_code: str | None
    reason: str | None
    at: datetime


class TimelineView(View):
    items: list[FactView]

    @classmethod
    def of(cls, facts: Sequence[OrderFact], language: str) -> Self:
        return cls(
            items=[
                FactView(
                    kind=fact.kind,
                    reason_code=fact.reason_code or None,
                    reason=cancelled_because(fact.reason_code, language),
                    at=fact.at,
                )
                for fact in facts
            ]
        )


class FulfilmentBody(Body):
    """The next step: processing, then shipped, then delivered."""

    status: Literal["processing", "shipped", "delivered"]
