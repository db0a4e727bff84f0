"""One job's work on many rows, each leased first and done by itself (``attempt_each``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from payment.usecases.attempt_batch import NoOutcomeError
from payment.usecases.attempt_each import attempt_each
from payment.usecases.ports import Begin, Tx

ItemT = TypeVar("ItemT")
LeasedT = TypeVar("LeasedT")


async def attempt_leased(
    job: str,
    due: Callable[[Tx], Awaitable[Sequence[ItemT]]],
    lease: Callable[[Tx, ItemT], Awaitable[LeasedT | None]],
    work: Callable[[LeasedT], Awaitable[None]],
    begin: Begin,
) -> int:
    """One round over what is due: each item is leased, and worked on after that. Returns how many were due."""
    async with begin() as tx:
        items = await due(tx)

    async def one(item: ItemT) -> None:
        async with begin() as tx:
            leased = await lease(tx, item)
        if leased is None:
            raise NoOutcomeError  # somebody else is at it, or it ended
        await work(leased)

    await attempt_each(job, items, one, begin, name=str)
    return len(items)
