"""Background work, of convenience and never of correctness: the sweep of expired holds, and search columns that were
made by an earlier folding.

Invariant: what fails for one item alone never keeps the others waiting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog

from commerce.adapters.transaction import CommerceTx
from commerce.domain.ids import VariantId
from commerce.usecases.expire_holds import ExpireHolds, expire_holds
from commerce.wiring import App
from operations import in_halves

log = structlog.get_logger(__name__)
ItemT = TypeVar("ItemT")
HOLDS_AT_ONCE: Final = 500
PRODUCTS_AT_ONCE: Final = 100


class ItemsFailedError(RuntimeError):
    """Some items could not be done; all others were. Raised by every run until they can."""


async def sweep_holds(app: App) -> None:
    """Close expired holds until none is left."""
    while True:
        async with app.begin() as tx:
            variant_ids = await tx.stock.expired(tx.now, HOLDS_AT_ONCE)
        if not await _work_through(app, "sweep_holds", variant_ids, _expire):
            return


async def fold_products(app: App) -> None:
    """Make search columns again until all are made by the folding of today."""
    while True:
        async with app.begin() as tx:
            product_ids = await tx.products.to_fold(PRODUCTS_AT_ONCE)
        if not await _work_through(app, "fold_products", product_ids, lambda ids, tx: tx.products.fold(ids)):
            return


async def _expire(variant_ids: Sequence[VariantId], tx: CommerceTx) -> None:
    await expire_holds(ExpireHolds(variant_ids=variant_ids), tx)


async def _work_through(
    app: App, job: str, items: Sequence[ItemT], work: Callable[[Sequence[ItemT], CommerceTx], Awaitable[None]]
) -> bool:
    """All items in one transaction, or else by halves. False when there are none. Raises ``ItemsFailedError``."""
    failed: list[ItemT] = []

    async def together(some: Sequence[ItemT]) -> int:
        async with app.begin() as tx:
            await work(some, tx)
        return len(some)

    async def at_fault(item: ItemT, error: Exception) -> None:
        failed.append(item)
        log.error("job.item_failed", job=job, item=str(item), exc_info=error)

    await in_halves(items, together, at_fault=at_fault)
    if failed:
        raise ItemsFailedError(f"{job}: {len(failed)} of {len(items)}")
    return bool(items)
