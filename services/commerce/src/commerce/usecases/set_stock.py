"""The seller writes down how many units are on hand."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.ids import ProductId, UserId, VariantId
from commerce.domain.product import VariantNotFoundError
from commerce.domain.stock import StockItem
from commerce.usecases.load_own_product import load_own_product
from commerce.usecases.ports import Precondition, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStock:
    user_id: UserId
    product_id: ProductId
    variant_id: VariantId
    on_hand: int
    precondition: Precondition  # the count version that the seller's own count was made against


async def set_stock(command: SetStock, tx: Tx) -> StockItem:
    """Take the count, unless it was made against another.

    Raises ``ProductNotFoundError``, ``VariantNotFoundError``, ``NotShopOwnerError``,
    ``BelowReservedError``, and what the precondition raises.
    """
    product, _ = await load_own_product(command.product_id, command.user_id, tx)
    if command.variant_id not in {variant.id for variant in product.variants}:
        raise VariantNotFoundError
    shelf = await tx.stock.lock([command.variant_id], (), tx.now)
    item = shelf.items[command.variant_id]
    command.precondition.check(item.count_version)
    if command.on_hand != item.on_hand:
        shelf.set_on_hand(command.variant_id, command.on_hand)
        await tx.stock.save(shelf)
        await tx.events.stock_moved(shelf.moved)
    return item
