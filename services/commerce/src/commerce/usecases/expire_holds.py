"""Give expired holds back to the shelf. Nobody waits for this: who needs the units takes them anyway."""

from __future__ import annotations

from commerce.usecases.announce_stock import announce_stock
from commerce.usecases.ports import CommerceTx

BATCH = 500


async def expire_holds(tx: CommerceTx) -> int:
    """Close up to ``BATCH`` expired holds' variants; returns how many movements that made."""
    variant_ids = await tx.stock.expired(tx.now, BATCH)
    if not variant_ids:
        return 0
    shelf = await tx.stock.lock(variant_ids, (), tx.now)
    shelf.expire(variant_ids)
    await tx.stock.save(shelf)
    await announce_stock(shelf.moved, tx)
    return len(shelf.moved)
