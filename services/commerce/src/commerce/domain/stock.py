"""Stock of variants: what is on hand, what is held for whom and until when.

STK-1: 0 <= reserved <= on_hand. STK-2: reserved is the sum of the open holds.
STK-3: on_hand and reserved are the sums of the movements, and versions have no gap.
A hold changes only while its stock item is locked; an expired hold is reclaimed by whoever needs its units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from commerce.domain.ids import CheckoutId, ProductId, ShopId, VariantId
from kernel.errors import DomainError, Kind
from kernel.reasons import Reason

HOLD: Final = timedelta(minutes=15)  # far beyond what a payment takes: it must not expire under a running one


class SoldOutError(DomainError):
    code, kind = "commerce.stock.sold_out", Kind.CONFLICT
    title = "Not enough is left of something in the order"


class HoldExpiredError(DomainError):
    code, kind = "commerce.stock.hold_expired", Kind.CONFLICT
    title = "The held stock was given back because the payment took too long"


class BelowReservedError(DomainError):
    code, kind = "commerce.stock.below_reserved", Kind.CONFLICT
    title = "More units are held for buyers than would be on hand"


class Movement(Reason):
    """Why stock moved."""

    SET = "set"
    RESERVED = "reserved"
    RELEASED = "released"
    EXPIRED = "expired"
    SOLD = "sold"
    RETURNED = "returned"


@dataclass(slots=True, kw_only=True)
class StockItem:
    """The figures of one variant. ``count_version`` grows when ``on_hand`` does or shrinks."""

    variant_id: VariantId
    product_id: ProductId
    shop_id: ShopId
    on_hand: int
    reserved: int
    version: int
    count_version: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Units of one variant kept for one checkout."""

    checkout_id: CheckoutId
    variant_id: VariantId
    quantity: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMoved:
    """One movement, with the figures after it."""

    variant_id: VariantId
    product_id: ProductId
    shop_id: ShopId
    version: int
    movement: Movement
    on_hand_delta: int
    reserved_delta: int
    on_hand: int
    reserved: int
    checkout_id: CheckoutId | None
    at: datetime

    @property
    def ran_out(self) -> bool:
        """The last unit was sold, or counted away."""
        return self.on_hand == 0 and self.on_hand_delta < 0


class Shelf:
    """Locked stock items with their holds, and everything that happened to them since they were locked.

    ``holds`` must have every open hold of the checkouts in hand, and every expired one of the items.
    """

    def __init__(self, items: Iterable[StockItem], holds: Iterable[Hold], now: datetime) -> None:
        self.items = {item.variant_id: item for item in items}
        self.now = now
        self.moved: list[StockMoved] = []
        self._stored: dict[tuple[CheckoutId, VariantId], Hold] = {}
        self._open: dict[tuple[CheckoutId, VariantId], Hold] = {}
        for hold in holds:
            self._stored[hold.checkout_id, hold.variant_id] = hold
        self._open.update(self._stored)

    @property
    def holds_opened(self) -> list[Hold]:
        """Open now, and not stored yet."""
        return [hold for key, hold in self._open.items() if self._stored.get(key) is not hold]

    @property
    def holds_closed(self) -> list[Hold]:
        """Stored, and not open any more (or replaced)."""
        return [hold for key, hold in self._stored.items() if self._open.get(key) is not hold]

    def reserve(self, checkout_id: CheckoutId, demand: Mapping[VariantId, int], until: datetime) -> None:
        """Hold the whole demand or nothing. Raises ``SoldOutError``."""
        short = [variant_id for variant_id, wanted in demand.items() if self._available(variant_id) < wanted]
        if short:
            self.expire(short)
        missing = [variant_id for variant_id in short if self._available(variant_id) < demand[variant_id]]
        if missing:
            raise SoldOutError(context={"variant_ids": [str(variant_id) for variant_id in missing]})
        for variant_id, quantity in demand.items():
            self._open[checkout_id, variant_id] = Hold(
                checkout_id=checkout_id, variant_id=variant_id, quantity=quantity, expires_at=until
            )
            self._move(variant_id, Movement.RESERVED, 0, quantity, checkout_id)

    def release(self, checkout_id: CheckoutId, demand: Mapping[VariantId, int]) -> None:
        """Close the checkout's holds that are still open."""
        for variant_id in demand:
            hold = self._open.pop((checkout_id, variant_id), None)
            if hold:
                self._move(variant_id, Movement.RELEASED, 0, -hold.quantity, checkout_id)

    def take(self, checkout_id: CheckoutId, demand: Mapping[VariantId, int]) -> None:
        """Turn the checkout's holds into a sale, all or nothing. Raises ``HoldExpiredError``.

        A hold past its time that nobody reclaimed is still good: its units are still there.
        """
        if any((checkout_id, variant_id) not in self._open for variant_id in demand):
            raise HoldExpiredError
        for variant_id in demand:
            hold = self._open.pop((checkout_id, variant_id))
            self._move(variant_id, Movement.SOLD, -hold.quantity, -hold.quantity, checkout_id)

    def short_shops(self, demand: Mapping[VariantId, int]) -> set[ShopId]:
        """Whose part of the demand is not there now."""
        return {
            self.items[variant_id].shop_id
            for variant_id, wanted in demand.items()
            if variant_id in self.items and self._available(variant_id) < wanted
        }

    def give_back(self, checkout_id: CheckoutId, demand: Mapping[VariantId, int]) -> None:
        """Put sold units on the shelf again."""
        for variant_id, quantity in demand.items():
            self._move(variant_id, Movement.RETURNED, quantity, 0, checkout_id)

    def expire(self, variant_ids: Iterable[VariantId]) -> None:
        """Close the holds of these variants whose time is over."""
        wanted = set(variant_ids)
        over = [key for key, hold in self._open.items() if key[1] in wanted and hold.expires_at <= self.now]
        for key in over:
            hold = self._open.pop(key)
            self._move(hold.variant_id, Movement.EXPIRED, 0, -hold.quantity, hold.checkout_id)

    def set_on_hand(self, variant_id: VariantId, on_hand: int) -> None:
        """Write down a count. Raises ``BelowReservedError``."""
        item = self.items[variant_id]
        if on_hand < item.reserved:
            self.expire([variant_id])
        if on_hand < item.reserved:
            raise BelowReservedError(f"{item.reserved} are held", pointer="/on_hand")
        self._move(variant_id, Movement.SET, on_hand - item.on_hand, 0, None)

    def _available(self, variant_id: VariantId) -> int:
        item = self.items.get(variant_id)
        return item.available if item else 0

    def _move(
        self,
        variant_id: VariantId,
        movement: Movement,
        on_hand_delta: int,
        reserved_delta: int,
        checkout_id: CheckoutId | None,
    ) -> None:
        item = self.items[variant_id]
        item.on_hand += on_hand_delta
        item.reserved += reserved_delta
        item.version += 1
        item.count_version += 1 if on_hand_delta else 0
        self.moved.append(
            StockMoved(
                variant_id=variant_id,
                product_id=item.product_id,
                shop_id=item.shop_id,
                version=item.version,
                movement=movement,
                on_hand_delta=on_hand_delta,
                reserved_delta=reserved_delta,
                on_hand=item.on_hand,
                reserved=item.reserved,
                checkout_id=checkout_id,
                at=self.now,
            )
        )


def latest_moves(moved: Iterable[StockMoved]) -> list[StockMoved]:
    """Of several movements of a variant for one reason the last, by variant and version: what is worth telling."""
    latest = {(each.variant_id, each.movement): each for each in moved}
    return sorted(latest.values(), key=lambda each: (each.variant_id, each.version))
