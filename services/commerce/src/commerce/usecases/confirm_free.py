"""Confirm a checkout that costs nothing while it is placed: there is no money to wait for, so no saga is needed."""

from __future__ import annotations

from commerce.domain.checkout import PlacedCheckout
from commerce.domain.settlement import ConfirmOrder, MarkOrderPaid, ReserveStock, Settlement
from commerce.domain.stock import Shelf
from commerce.usecases.announce_stock import announce_stock
from commerce.usecases.ports import Tx


async def confirm_free(placed: PlacedCheckout, tx: Tx) -> Shelf:
    """What the saga would ask for, in memory, before anything of the checkout is stored. Raises ``SoldOutError``."""
    checkout = placed.checkout
    shelf = await tx.stock.lock(checkout.demand.keys(), (), tx.now)
    settlement = Settlement([checkout], [placement.order for placement in placed.placements], shelf)
    settlement.apply(ReserveStock(checkout_id=checkout.id, hold_s=0))
    settlement.apply(ConfirmOrder(checkout_id=checkout.id))
    settlement.apply(MarkOrderPaid(checkout_id=checkout.id))
    await tx.stock.save(shelf)
    return shelf


async def announce_confirmed(placed: PlacedCheckout, shelf: Shelf, tx: Tx) -> None:
    for placement in placed.placements:
        tx.events.order_moved(placement.order)
    await announce_stock(shelf.moved, tx)
