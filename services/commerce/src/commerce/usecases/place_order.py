"""Place what is in the cart, or lines given, as one checkout: one order per shop, paid together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commerce.domain.address import Address
from commerce.domain.cart import ITEMS_MAX, CartFullError
from commerce.domain.checkout import Checkout, PlacedCheckout, summed_demand
from commerce.domain.ids import CheckoutId, LineId, OrderId, ShopId, UserId, VariantId, WalletId
from commerce.domain.offer import Offer, WantedLine, require_offered
from commerce.domain.order import EmptyOrderError, Order, OrderLine, OrderPlacement
from commerce.domain.settlement import Settlement
from commerce.domain.stock import StockMoved
from commerce.domain.tax import rate_bp
from commerce.domain.totals import PricedLine, TotalTooLargeError, order_totals
from commerce.usecases.confirm_order import ConfirmOrder, confirm_order
from commerce.usecases.mark_order_paid import MarkOrderPaid, mark_order_paid
from commerce.usecases.ports import Tx
from commerce.usecases.reserve_stock import ReserveStock, reserve_stock
from kernel.ids import uuid7
from kernel.money import AMOUNT_MINOR_MAX


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
    placed = await _placements(command, demand, offers, tx)
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
    settlement = Settlement([checkout], orders, shelf)
    reserve_stock(ReserveStock(checkout_id=checkout.id, hold_s=0), settlement)
    confirm_order(ConfirmOrder(checkout_id=checkout.id), settlement)
    mark_order_paid(MarkOrderPaid(checkout_id=checkout.id), settlement)
    await tx.stock.save(shelf)
    return shelf.moved


async def _placements(
    command: PlaceOrder, demand: Mapping[VariantId, int], offers: Mapping[VariantId, Offer], tx: Tx
) -> PlacedCheckout:
    by_shop: dict[ShopId, list[Offer]] = {}
    for variant_id in demand:
        by_shop.setdefault(offers[variant_id].shop_id, []).append(offers[variant_id])
    shops = list(by_shop.values())
    numbers = await tx.orders.next_numbers([shop[0].country for shop in shops], tx.now.year)
    checkout_id = CheckoutId(uuid7())
    placements = tuple(
        _placement(command, checkout_id, number, shop, demand=demand, tx=tx)
        for number, shop in zip(numbers, shops, strict=True)
    )
    total = sum(placement.order.total_minor for placement in placements)
    if total > AMOUNT_MINOR_MAX:
        raise TotalTooLargeError
    checkout = Checkout(
        id=checkout_id,
        buyer_id=command.buyer_id,
        currency=shops[0][0].currency,
        total_minor=total,
        demand=demand,
        placed_at=tx.now,
    )
    return PlacedCheckout(checkout=checkout, placements=placements)


def _placement(
    command: PlaceOrder,
    checkout_id: CheckoutId,
    number: str,
    offers: Sequence[Offer],
    *,
    demand: Mapping[VariantId, int],
    tx: Tx,
) -> OrderPlacement:
    lines = tuple(_line(offer, demand[offer.variant_id], command.language, tx) for offer in offers)
    shop = offers[0]
    totals = order_totals(
        [
            PricedLine(unit_price_minor=line.unit_price_minor, quantity=line.quantity, tax_rate_bp=line.tax_rate_bp)
            for line in lines
        ],
        prices_include_tax=shop.prices_include_tax,
    )
    order = Order(
        id=OrderId(uuid7()),
        number=number,
        checkout_id=checkout_id,
        buyer_id=command.buyer_id,
        shop_id=shop.shop_id,
        shop_name=shop.shop_name,
        seller_id=shop.seller_id,
        country=shop.country,
        currency=shop.currency,
        total_minor=totals.total_minor,
    )
    order.place(tx.now)
    return OrderPlacement(
        order=order,
        lines=lines,
        totals=totals,
        prices_include_tax=shop.prices_include_tax,
        ship_to=command.ship_to,
        note=command.note,
        placed_at=tx.now,
    )


def _line(offer: Offer, quantity: int, language: str, tx: Tx) -> OrderLine:
    return OrderLine(
        id=LineId(uuid7()),
        product_id=offer.product_id,
        variant_id=offer.variant_id,
        sku=offer.sku,
        title=offer.titles.read(language, fallback=offer.shop_language),
        options=offer.options,
        quantity=quantity,
        unit_price_minor=offer.price_minor,
        tax_class=offer.tax_class,
        tax_rate_bp=rate_bp(offer.country, offer.tax_class, tx.now),
    )
