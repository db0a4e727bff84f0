"""Place what is in the cart, or lines given, as one checkout: one order per shop, paid together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commerce.domain.address import Address
from commerce.domain.cart import ITEMS_MAX, CartFullError
from commerce.domain.checkout import Checkout, PlacedCheckout, summed_demand
from commerce.domain.checkout_batch import CheckoutBatch
from commerce.domain.ids import UserId, WalletId
from commerce.domain.offer import WantedLine, require_offered
from commerce.domain.order import EmptyOrderError, Order
from commerce.domain.purchase import Purchase
from commerce.domain.stock import StockMoved
from commerce.usecases.confirm_order import ConfirmOrder, confirm_order
from commerce.usecases.mark_order_paid import MarkOrderPaid, mark_order_paid
from commerce.usecases.ports import Tx
from commerce.usecases.reserve_stock import ReserveStock, reserve_stock
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
    """Accept the orders and ask for their payment: all, or nothing.

    Raises ``EmptyOrderError``, ``CartFullError``, ``VariantNotFoundError``, ``NotForSaleError``,
    ``PriceChangedError``, ``CurrenciesMixedError``, ``QuantityTooLargeError``, ``TotalTooLargeError`` and
    ``AccountEndedError``. Stock is not looked at here: the saga reserves it. What costs nothing needs no saga: it is
    confirmed here, or refused with ``SoldOutError``.
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
    orders = [placement.order for placement in placed.placements]
    costs_nothing = placed.checkout.total_minor == 0
    moved = await _confirm_free(placed.checkout, orders, tx) if costs_nothing else []
    await tx.orders.add(placed.checkout, placed.placements)
    if command.lines is None:
        await tx.carts.remove(command.buyer_id, list(demand))
    for placement in placed.placements:
        tx.events.order_placed(placement, tx.now)
    if costs_nothing:
        for order in orders:
            tx.events.order_moved(order)
        await tx.events.stock_moved(moved)
    else:
        tx.events.start_payment(placed.checkout, orders, command.wallet_id)
    return placed


async def _cart_lines(buyer_id: UserId, tx: Tx) -> list[WantedLine]:
    """Locked: whoever comes second finds the cart ordered, and what is added now is added after the order."""
    await tx.accounts.lock_alive(buyer_id)
    return [
        WantedLine(variant_id=item.variant_id, quantity=item.quantity, seen_price=item.price)
        for item in await tx.carts.items(buyer_id)
    ]


async def _confirm_free(checkout: Checkout, orders: Sequence[Order], tx: Tx) -> list[StockMoved]:
    """What the saga would ask for, before anything of the checkout is stored. Raises ``SoldOutError``."""
    shelf = await tx.stock.lock(checkout.demand.keys(), (), tx.now)
    batch = CheckoutBatch([checkout], orders, shelf)
    reserve_stock(ReserveStock(checkout_id=checkout.id, hold_s=0), batch)
    confirm_order(ConfirmOrder(checkout_id=checkout.id), batch)
    mark_order_paid(MarkOrderPaid(checkout_id=checkout.id), batch)
    await tx.stock.save(shelf)
    return shelf.moved
