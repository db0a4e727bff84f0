"""Work on many rows of which one may be at fault: each alone, or together while that works and in halves where not.

Invariant: a row that always fails is told and left; every other row has its work done in the same run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from eventing.failures import Failure, classify

log = structlog.get_logger(__name__)

Item = TypeVar("Item")


async def alone(item: Item, work: Callable[[Item], Awaitable[object]]) -> bool:
    """Do the work on one. False when it failed by a fault of its own, which is told; an outage is raised."""
    try:
        await work(item)
    except Exception as error:
        if classify(error) is Failure.OUTAGE:
            raise
        log.exception("batch.item_failed", item=str(item))
        return False
    return True


async def in_halves(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Awaitable[int]],
    *,
    at_fault: Callable[[Item, Exception], Awaitable[None]] | None = None,
) -> int:
    """The sum of what ``work`` returned. It does all it is given, or raises and has done nothing: one transaction.

    ``at_fault`` is told of each item that fails alone; otherwise the log is. An outage is nobody's fault: it is raised.
    """
    if not items:
        return 0
    try:
        return await work(items)
    except Exception as error:
        if classify(error) is Failure.OUTAGE:
            raise
        if len(items) == 1:
            if at_fault is None:
                log.exception("batch.item_failed", item=str(items[0]))
            else:
                await at_fault(items[0], error)
            return 0
    middle = len(items) // 2
    first = await in_halves(items[:middle], work, at_fault=at_fault)
    return first + await in_halves(items[middle:], work, at_fault=at_fault)
