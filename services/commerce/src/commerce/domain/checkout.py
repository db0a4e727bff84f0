"""What is paid together: one order per shop, one currency, one demand on stock.

CHK-1: after a release, the checkout never holds stock again (the tombstone for a late command).
CHK-2: a cancel that the buyer was granted comes before the confirmation, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commerce.domain.cart import QUANTITY_MAX
from commerce.domain.ids import CheckoutId, UserId, VariantId
from commerce.domain.order import Order, OrderNotCancellableError, OrderPlacement, PaymentStatus, completed_payment
from kernel.errors import DomainError, Kind
from kernel.money import Currency


class StockState(StrEnum):
    """Where the checkout's units are."""

    NONE = "none"
    HELD = "held"
    TAKEN = "taken"
    RELEASED = "released"


class CheckoutNotFoundError(DomainError):
    code, kind = "commerce.checkout.not_found", Kind.NOT_FOUND
    title = "There is no such checkout"


class CheckoutReleasedError(DomainError):
    code, kind = "commerce.checkout.released", Kind.CONFLICT
    title = "The checkout's stock was given back before"


class CancelRequestedError(DomainError):
    code, kind = "commerce.order.cancel_requested", Kind.CONFLICT
    title = "The buyer cancelled"


class StockNotHeldError(DomainError):
    code, kind = "commerce.stock.not_held", Kind.CONFLICT
    title = "No stock is held for the checkout"


class QuantityTooLargeError(DomainError):
    code, kind = "commerce.order.quantity_too_large", Kind.INVALID
    title = f"At most {QUANTITY_MAX} of one variant can be ordered together"


class CurrenciesMixedError(DomainError):
    code, kind = "commerce.checkout.currencies_mixed", Kind.INVALID
    title = "What is paid together must have one currency; place one order per currency"


@dataclass(slots=True, kw_only=True)
class Checkout:
    """The consistency boundary of an order payment."""

    id: CheckoutId
    buyer_id: UserId
    currency: Currency
    total_minor: int
    demand: Mapping[VariantId, int]
    stock_state: StockState = StockState.NONE
    payment_status: PaymentStatus = PaymentStatus.PENDING
    cancel_requested_at: datetime | None = None
    placed_at: datetime

    def must_reserve(self) -> bool:
        """False when done before. Raises ``CheckoutReleasedError`` and ``CancelRequestedError``."""
        if self.stock_state is StockState.RELEASED:
            raise CheckoutReleasedError
        if self.stock_state is StockState.NONE and self.cancel_requested_at:
            raise CancelRequestedError
        return self.stock_state is StockState.NONE

    def must_take(self) -> bool:
        """False when done before.

        Raises ``CheckoutReleasedError``, ``StockNotHeldError`` and ``CancelRequestedError``.
        """
        if self.stock_state is StockState.RELEASED:
            raise CheckoutReleasedError
        if self.stock_state is StockState.NONE:
            raise StockNotHeldError
        if self.stock_state is StockState.HELD and self.cancel_requested_at:
            raise CancelRequestedError
        return self.stock_state is StockState.HELD

    def request_cancel(self, at: datetime) -> bool:
        """True when it is the first request. Raises ``OrderNotCancellableError`` past the confirmation."""
        if self.stock_state is StockState.TAKEN:
            raise OrderNotCancellableError
        if self.cancel_requested_at or self.payment_status is PaymentStatus.FAILED:
            return False
        self.cancel_requested_at = at
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCheckout:
    """The checkout with its orders in full."""

    checkout: Checkout
    placements: tuple[OrderPlacement, ...]

    @property
    def orders(self) -> list[Order]:
        return [placement.order for placement in self.placements]

    @property
    def costs_nothing(self) -> bool:
        return self.checkout.total_minor == 0

    def confirm_free(self, at: datetime) -> None:
        """What costs nothing has nobody to wait for: it is promised as it is placed (ADR 0014)."""
        self.checkout.stock_state = StockState.TAKEN
        self.checkout.payment_status = completed_payment(0)
        for order in self.orders:
            order.confirm(at)
            order.mark_paid(at)


def summed_demand(lines: Iterable[tuple[VariantId, int]]) -> dict[VariantId, int]:
    """Units wanted per variant over all lines, in the order in which locks are taken.

    Raises ``QuantityTooLargeError``.
    """
    demand: dict[VariantId, int] = {}
    for variant_id, quantity in lines:
        demand[variant_id] = demand.get(variant_id, 0) + quantity
        if demand[variant_id] > QUANTITY_MAX:
            raise QuantityTooLargeError(pointer="/lines")
    return dict(sorted(demand.items()))
