"""Place what is in the cart, or lines given, as one checkout: one order per shop, paid together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commerce.domain.address import Address
from commerce.domain.cart import ITEMS_MAX, CartFullError
from commerce.domain.checkout import PlacedCheckout, summed_demand
from commerce.domain.ids import UserId, WalletId
from commerce.domain.offer import WantedLine, require_offered
from commerce.domain.order import EmptyOrderError
from commerce.domain.purchase import Purchase
from commerce.domain.stock import HOLD
from commerce.usecases.ports import Tx
from kernel.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    buyer_id: UserId
    language: str
    lines: Sequence[WantedLine] | None  # None: the cart
    wallet_id: WalletId | None = None
    ship_to: Address | None = None
    note: str = ""


async def place_order(command: PlaceOrder, tx: Tx) -> PlacedCheckout:
    """Accept the orders, hold their stock and ask for their payment: all, or nothing.

    Raises ``EmptyOrderError``, ``CartFullError``, ``VariantNotFoundError``, ``NotForSaleError``,
    ``PriceChangedError``, ``CurrenciesMixedError``, ``QuantityTooLargeError``, ``TotalTooLargeError``,
    ``AccountEndedError`` and ``SoldOutError``. What costs nothing needs no payment: it is confirmed here.
    """
    lines = command.lines if command.lines is not None else await _cart_lines(command.buyer_id, tx)
    if not lines:
        raise EmptyOrderError
    if len(lines) > ITEMS_MAX:
        raise CartFullError
    demand = summed_demand((line.variant_id, line.quantity) for line in lines)
    offers = await tx.products.offers(demand)
    require_offered(lines, offers)
    purchase = Purchase(
        buyer_id=command.buyer_id,
        language=command.language,
        demand=demand,
        offers=offers,
        ship_to=command.ship_to,
        note=command.note,
        at=tx.now,
        new_id=uuid7,
    )
    placed = purchase.place(await tx.orders.next_numbers(purchase.countries, tx.now.year))
    if placed.costs_nothing:
        placed.confirm_free(tx.now)
    if command.lines is None:
        await tx.carts.remove(command.buyer_id, list(demand))
    for placement in placed.placements:
        tx.events.order_placed(placement, tx.now)
    if placed.costs_nothing:
        for order in placed.orders:
            tx.events.order_moved(order)
    else:
        tx.events.start_payment(placed.checkout, placed.orders, command.wallet_id)
    await _hold_stock(placed, tx)
    await tx.orders.add(placed.checkout, placed.placements)
    return placed


async def _cart_lines(buyer_id: UserId, tx: Tx) -> list[WantedLine]:
    """Locked: whoever comes second finds the cart ordered, and what is added now is added after the order."""
    await tx.accounts.lock_alive(buyer_id)
    return [
        WantedLine(variant_id=item.variant_id, quantity=item.quantity, seen_price=item.price)
        for item in await tx.carts.items(buyer_id)
    ]


async def _hold_stock(placed: PlacedCheckout, tx: Tx) -> None:
    """Last of all: what many want at once is locked for the writes and the commit alone. Raises ``SoldOutError``."""
    checkout = placed.checkout
    shelf = await tx.stock.lock_wanted(checkout.demand, tx.now)
    shelf.reserve(checkout.id, checkout.demand, tx.now + HOLD)
    if placed.costs_nothing:
        shelf.take(checkout.id, checkout.demand)
    await tx.stock.save(shelf)
    await tx.events.stock_moved(shelf.moved)
