"""Checkouts with their orders and their stock, locked together for a batch of saga commands.

Invariant: a command refuses before it changes anything, or changes all that it says, and touches its own checkout
only. So a batch of them shares one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from commerce.domain.checkout import Checkout, CheckoutNotFoundError, StockState
from commerce.domain.ids import CheckoutId, ShopId
from commerce.domain.order import Order, OrderAlreadyPaidError
from commerce.domain.stock import Shelf
from kernel.errors import DomainError


class CheckoutBatch:
    """The locked rows of a batch, and which of them changed.

    ``abandoned``: checkouts that must not be confirmed, because a seller or the buyer is gone, and why.
    ``closed_shops``: shops that have closed, of checkouts that are cancelled for it.
    """

    def __init__(
        self,
        checkouts: Iterable[Checkout],
        orders: Iterable[Order],
        shelf: Shelf,
        abandoned: Mapping[CheckoutId, DomainError] = MappingProxyType({}),
        closed_shops: Collection[ShopId] = frozenset(),
    ) -> None:
        self.shelf = shelf
        self.abandoned = abandoned
        self.closed_shops = closed_shops
        self.changed: dict[CheckoutId, Checkout] = {}
        self._checkouts = {checkout.id: checkout for checkout in checkouts}
        self._orders: dict[CheckoutId, list[Order]] = {}
        for order in orders:
            self._orders.setdefault(order.checkout_id, []).append(order)

    @property
    def orders_changed(self) -> list[Order]:
        return [order for orders in self._orders.values() for order in orders if order.facts]

    def find(self, checkout_id: CheckoutId) -> Checkout | None:
        return self._checkouts.get(checkout_id)

    def get(self, checkout_id: CheckoutId) -> Checkout:
        """Raises ``CheckoutNotFoundError``."""
        checkout = self.find(checkout_id)
        if checkout is None:
            raise CheckoutNotFoundError
        return checkout

    def orders_of(self, checkout_id: CheckoutId) -> list[Order]:
        return self._orders[checkout_id]

    def refuse_abandoned(self, checkout: Checkout) -> None:
        """Raises ``ShopClosedError`` or ``AccountEndedError``."""
        if checkout.id in self.abandoned:
            raise self.abandoned[checkout.id]

    def move(self, checkout: Checkout, state: StockState) -> None:
        """The checkout's units are there now; it is written."""
        checkout.stock_state = state
        self.changed[checkout.id] = checkout

    def release(self, checkout: Checkout) -> None:
        """Give its units back, held or sold; it never holds any again (CHK-1). Raises ``OrderAlreadyPaidError``."""
        if checkout.payment_status.is_complete:
            raise OrderAlreadyPaidError
        if checkout.stock_state is StockState.HELD:
            self.shelf.release(checkout.id, checkout.demand)
        elif checkout.stock_state is StockState.TAKEN:
            self.shelf.give_back(checkout.id, checkout.demand)
        if checkout.stock_state is not StockState.RELEASED:
            self.move(checkout, StockState.RELEASED)
