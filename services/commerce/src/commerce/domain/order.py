"""One shop's part of a checkout, from placed to delivered or cancelled.

ORD-1: pending → confirmed → processing → shipped → delivered, or cancelled before anything was paid.
ORD-2: only a confirmed order is paid; only one that is paid, or costs nothing, is fulfilled. An order says that it is
paid only when money was taken for it. ORD-3: ``version`` counts its facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from commerce.domain.address import Address
from commerce.domain.ids import CheckoutId, LineId, OrderId, ProductId, ShopId, UserId, VariantId
from commerce.domain.totals import OrderTotals
from kernel.country import Country
from kernel.errors import DomainError, Kind
from kernel.money import Currency
from kernel.reasons import Reason


class CancelReason(Reason):
    """Why an order was cancelled, where no part of its payment was refused."""

    BUYER = "buyer"  # who took it back
    PART_FAILED = "commerce.checkout.part_failed"  # nothing was wrong with this order, but with one paid together


class OrderStatus(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    NOT_REQUIRED = "not_required"  # it costs nothing
    FAILED = "failed"

    @property
    def is_complete(self) -> bool:
        """Nothing is to be paid any more."""
        return self in {PaymentStatus.PAID, PaymentStatus.NOT_REQUIRED}


class FactKind(StrEnum):
    """What can become true of an order."""

    PLACED = "placed"
    CANCEL_REQUESTED = "cancel_requested"
    CONFIRMED = "confirmed"
    PAID = "paid"
    PAYMENT_NOT_REQUIRED = "payment_not_required"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class OrderNotFoundError(DomainError):
    code, kind = "commerce.order.not_found", Kind.NOT_FOUND
    title = "There is no such order"


class EmptyOrderError(DomainError):
    code, kind = "commerce.order.empty", Kind.INVALID
    title = "An order needs at least one line"


class OrderCancelledError(DomainError):
    code, kind = "commerce.order.cancelled", Kind.CONFLICT
    title = "The order was cancelled"


class OrderAlreadyPaidError(DomainError):
    code, kind = "commerce.order.already_paid", Kind.CONFLICT
    title = "The order is paid already"


class OrderNotConfirmedError(DomainError):
    code, kind = "commerce.order.not_confirmed", Kind.CONFLICT
    title = "The order is not confirmed"


class OrderNotCancellableError(DomainError):
    code, kind = "commerce.order.not_cancellable", Kind.CONFLICT
    title = "The order has gone too far to be cancelled"


class FulfilmentRefusedError(DomainError):
    code, kind = "commerce.order.fulfilment_refused", Kind.CONFLICT
    title = "The order cannot go to that status now"


class OrderChangedMeanwhileError(DomainError):
    code, kind = "commerce.order.changed", Kind.CONFLICT
    title = "The order was changed at the same moment; try again"


_FULFILMENT: Final = {
    OrderStatus.CONFIRMED: OrderStatus.PROCESSING,
    OrderStatus.PROCESSING: OrderStatus.SHIPPED,
    OrderStatus.SHIPPED: OrderStatus.DELIVERED,
}


def completed_payment(total_minor: int) -> PaymentStatus:
    """The status of a payment that is over: paid, or not required where the total is zero."""
    return PaymentStatus.PAID if total_minor else PaymentStatus.NOT_REQUIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFact:
    """Something that became true of an order: one row of its timeline, at most one event."""

    version: int
    kind: FactKind
    previous_status: OrderStatus
    reason_code: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Order:
    """An order's state. ``facts`` are those that are not stored yet."""

    id: OrderId
    number: str
    checkout_id: CheckoutId
    buyer_id: UserId
    shop_id: ShopId
    shop_name: str
    seller_id: UserId
    country: Country
    currency: Currency
    total_minor: int
    status: OrderStatus = OrderStatus.PENDING
    payment_status: PaymentStatus = PaymentStatus.PENDING
    cancel_reason: str = ""
    version: int = 0
    facts: list[OrderFact] = field(default_factory=list)

    def place(self, at: datetime) -> None:
        self._note(FactKind.PLACED, at)

    def request_cancel(self, at: datetime) -> None:
        self._note(FactKind.CANCEL_REQUESTED, at)

    def confirm(self, at: datetime) -> None:
        """Promise fulfilment; done already is fine. Raises ``OrderCancelledError``."""
        if self.status is OrderStatus.CANCELLED:
            raise OrderCancelledError
        if self.status is OrderStatus.PENDING:
            self._note(FactKind.CONFIRMED, at, status=OrderStatus.CONFIRMED)

    def mark_paid(self, at: datetime) -> None:
        """Note the money, or that none was needed; done already is fine. Raises ``OrderNotConfirmedError``."""
        if self.status in {OrderStatus.PENDING, OrderStatus.CANCELLED}:
            raise OrderNotConfirmedError
        if not self.payment_status.is_complete:
            self.payment_status = completed_payment(self.total_minor)
            paid = self.payment_status is PaymentStatus.PAID
            self._note(FactKind.PAID if paid else FactKind.PAYMENT_NOT_REQUIRED, at)

    def cancel(self, reason_code: str, at: datetime) -> None:
        """Close without money taken; done already is fine. Raises ``OrderAlreadyPaidError``."""
        if self.payment_status.is_complete:
            raise OrderAlreadyPaidError
        if self.status is not OrderStatus.CANCELLED:
            self.cancel_reason = reason_code
            self.payment_status = PaymentStatus.FAILED
            self._note(FactKind.CANCELLED, at, status=OrderStatus.CANCELLED, reason_code=reason_code)

    def fulfil(self, status: OrderStatus, at: datetime) -> None:
        """One step on in fulfilment; done already is fine. Raises ``FulfilmentRefusedError``."""
        if status is self.status:
            return
        if not self.payment_status.is_complete or _FULFILMENT.get(self.status) is not status:
            raise FulfilmentRefusedError(f"{self.status} (payment {self.payment_status}) → {status}", pointer="/status")
        self._note(FactKind(status.value), at, status=status)

    def _note(self, kind: FactKind, at: datetime, *, status: OrderStatus | None = None, reason_code: str = "") -> None:
        previous, self.status = self.status, status or self.status
        self.version += 1
        self.facts.append(
            OrderFact(version=self.version, kind=kind, previous_status=previous, reason_code=reason_code, at=at)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line as it was sold: later changes of the product do not reach it."""

    id: LineId
    product_id: ProductId
    variant_id: VariantId
    sku: str
    title: str
    options: Mapping[str, str]
    quantity: int
    unit_price_minor: int
    tax_class: str
    tax_rate_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlacement:
    """An order with everything that is written once."""

    order: Order
    lines: tuple[OrderLine, ...]
    totals: OrderTotals
    prices_include_tax: bool
    ship_to: Address | None
    note: str
    placed_at: datetime
