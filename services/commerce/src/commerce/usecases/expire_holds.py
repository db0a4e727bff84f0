"""Give expired holds back to the shelf. Nobody waits for this: who needs the units takes them anyway."""

from __future__ import annotations

from collections.abc import Collection

from commerce.domain.ids import VariantId
from commerce.usecases.announce_stock import announce_stock
from commerce.usecases.ports import Tx


async def expire_holds(variant_ids: Collection[VariantId], tx: Tx) -> None:
    """Close the expired holds of these variants: what is expired is judged again once they are locked."""
    shelf = await tx.stock.lock(variant_ids, (), tx.now)
    shelf.expire(variant_ids)
    await tx.stock.save(shelf)
    await announce_stock(shelf.moved, tx)
