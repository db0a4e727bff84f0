"""What each saga command does to checkouts, orders and stock that are locked: decided in memory.

Every command is all or nothing and leaves the others alone, so that a batch of them shares one transaction.
An undo finds nothing to undo, or undoes; either way its "do" is refused from then on (CHK-1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar

from commerce.domain.checkout import CancelRequestedError, Checkout, CheckoutNotFoundError, StockState
from commerce.domain.ids import CheckoutId, ShopId
from commerce.domain.order import (
    BUYER_CANCELLED,
    PART_FAILED,
    Order,
    OrderAlreadyPaidError,
    OrderNotConfirmedError,
    PaymentStatus,
    settled_payment,
)
from commerce.domain.shop import ShopClosedError
from commerce.domain.stock import Shelf, SoldOutError
from kernel.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveStock:
    moves_stock: ClassVar[bool] = True
    checkout_id: CheckoutId
    hold_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStock:
    moves_stock: ClassVar[bool] = True
    checkout_id: CheckoutId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmOrder:
    moves_stock: ClassVar[bool] = True
    checkout_id: CheckoutId


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkOrderPaid:
    moves_stock: ClassVar[bool] = False
    checkout_id: CheckoutId


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    moves_stock: ClassVar[bool] = True
    checkout_id: CheckoutId
    reason_code: str


SagaCommand = ReserveStock | ReleaseStock | ConfirmOrder | MarkOrderPaid | CancelOrder


class Settlement:
    """The locked rows of a batch of commands, and what became of them.

    ``abandoned``: checkouts that must not be confirmed, because a seller or the buyer is gone, and why.
    ``closed``: shops that have closed, of checkouts that are cancelled for it.
    """

    def __init__(
        self,
        checkouts: Iterable[Checkout],
        orders: Iterable[Order],
        shelf: Shelf,
        abandoned: Mapping[CheckoutId, DomainError] = MappingProxyType({}),
        closed: Collection[ShopId] = frozenset(),
    ) -> None:
        self.checkouts = {checkout.id: checkout for checkout in checkouts}
        self._abandoned = abandoned
        self._closed = closed
        self.changed: dict[CheckoutId, Checkout] = {}
        self.shelf = shelf
        self._orders: dict[CheckoutId, list[Order]] = {}
        for order in orders:
            self._orders.setdefault(order.checkout_id, []).append(order)

    @property
    def orders_changed(self) -> list[Order]:
        return [order for orders in self._orders.values() for order in orders if order.facts]

    def apply_all(self, commands: Sequence[SagaCommand]) -> list[DomainError | None]:
        """Each command in its turn: None when done, or why it was refused."""
        return [self._outcome(command) for command in commands]

    def _outcome(self, command: SagaCommand) -> DomainError | None:
        try:
            self.apply(command)
        except DomainError as refusal:
            return refusal
        return None

    def apply(self, command: SagaCommand) -> None:
        """Raises a ``DomainError`` before anything was changed, or changes everything the command says."""
        checkout = self.checkouts.get(command.checkout_id)
        if checkout is None:
            if not isinstance(command, ReleaseStock | CancelOrder):
                raise CheckoutNotFoundError
            return
        match command:
            case ReserveStock():
                self._reserve(checkout, command.hold_s)
            case ReleaseStock():
                self._release(checkout)
            case ConfirmOrder():
                self._confirm(checkout)
            case MarkOrderPaid():
                self._mark_paid(checkout)
            case CancelOrder():
                self._cancel(checkout, command.reason_code)

    def _reserve(self, checkout: Checkout, hold_s: float) -> None:
        if checkout.must_reserve():
            self.shelf.reserve(checkout.id, checkout.demand, self.shelf.now + timedelta(seconds=hold_s))
            self._move(checkout, StockState.HELD)

    def _release(self, checkout: Checkout) -> None:
        if checkout.payment_status.is_settled:
            raise OrderAlreadyPaidError
        if checkout.stock_state is StockState.HELD:
            self.shelf.release(checkout.id, checkout.demand)
        elif checkout.stock_state is StockState.TAKEN:
            self.shelf.give_back(checkout.id, checkout.demand)
        if checkout.stock_state is not StockState.RELEASED:
            self._move(checkout, StockState.RELEASED)

    def _confirm(self, checkout: Checkout) -> None:
        if not checkout.must_take():
            return
        if checkout.id in self._abandoned:
            raise self._abandoned[checkout.id]
        self.shelf.take(checkout.id, checkout.demand)
        self._move(checkout, StockState.TAKEN)
        for order in self._orders[checkout.id]:
            order.confirm(self.shelf.now)

    def _mark_paid(self, checkout: Checkout) -> None:
        if checkout.stock_state is not StockState.TAKEN:
            raise OrderNotConfirmedError
        if checkout.payment_status is PaymentStatus.PENDING:
            checkout.payment_status = settled_payment(checkout.total_minor)
            self._move(checkout, StockState.TAKEN)
            for order in self._orders[checkout.id]:
                order.mark_paid(self.shelf.now)

    def _cancel(self, checkout: Checkout, reason_code: str) -> None:
        self._release(checkout)
        if reason_code == CancelRequestedError.code:
            reason_code = BUYER_CANCELLED
        if checkout.payment_status is PaymentStatus.PENDING:
            checkout.payment_status = PaymentStatus.FAILED
            self._move(checkout, StockState.RELEASED)
            for order in self._orders[checkout.id]:
                order.cancel(self._reason_of(order, checkout, reason_code), self.shelf.now)

    def _reason_of(self, order: Order, checkout: Checkout, reason_code: str) -> str:
        """Of orders paid together only those read of a closed shop or a lack of stock that it is true of."""
        if len(self._orders[checkout.id]) == 1:
            return reason_code
        match reason_code:
            case ShopClosedError.code:
                concerned = order.shop_id in self._closed
            case SoldOutError.code:
                concerned = order.shop_id in self.shelf.short_shops(checkout.demand)
            case _:
                concerned = True
        return reason_code if concerned else PART_FAILED

    def _move(self, checkout: Checkout, state: StockState) -> None:
        checkout.stock_state = state
        self.changed[checkout.id] = checkout
