"""Give expired holds back to the shelf. Nothing depends on it: a reservation takes expired units by itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from commerce.domain.ids import VariantId
from commerce.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireHolds:
    variant_ids: Collection[VariantId]


async def expire_holds(command: ExpireHolds, tx: Tx) -> None:
    """Close the expired holds of these variants: what is expired is judged again once they are locked."""
    shelf = await tx.stock.lock(command.variant_ids, (), tx.now)
    shelf.expire(command.variant_ids)
    await tx.stock.save(shelf)
    await tx.events.stock_moved(shelf.moved)
