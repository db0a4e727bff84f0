"""One job's work on many rows, each by itself (``attempt_batch`` of one), side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from payment.usecases.attempt_batch import attempt_batch
from payment.usecases.ports import Begin

ItemT = TypeVar("ItemT")


async def attempt_each(
    job: str,
    items: Sequence[ItemT],
    work: Callable[[ItemT], Awaitable[None]],
    begin: Begin,
    *,
    name: Callable[[ItemT], str],
) -> None:
    """Do the work on every item. Raises, after all ended, the failures that could not be written down."""

    async def one(item: ItemT) -> None:
        await attempt_batch(job, [item], lambda items: work(items[0]), begin, name=name)

    raised = await asyncio.gather(*map(one, items), return_exceptions=True)
    failures = [each for each in raised if isinstance(each, Exception)]
    if failures:
        raise ExceptionGroup(f"{job}: failures that could not be written down", failures)
