"""Tell what moved on the shelf, each movement in the flow that caused it, and whose last unit went."""

from __future__ import annotations

from collections.abc import Sequence

from commerce.domain.stock import StockMoved, latest_moves
from commerce.usecases.ports import Tx
from kernel.correlation import InFlow, same_flow


async def announce_stock(moved: Sequence[StockMoved], tx: Tx, in_flow: InFlow = same_flow) -> None:
    """One StockChanged per variant and reason, and StockRanOut where nothing is left on hand."""
    for each in latest_moves(moved):
        with in_flow(each.checkout_id):
            tx.events.stock_moved(each)
    ran_out = [each for each in moved if each.ran_out]
    if not ran_out:
        return
    sellers = await tx.products.sellers({each.product_id for each in ran_out})
    for each in ran_out:
        seller_id, title = sellers[each.product_id]
        with in_flow(each.checkout_id):
            tx.events.stock_ran_out(each, seller_id=seller_id, title=title)
