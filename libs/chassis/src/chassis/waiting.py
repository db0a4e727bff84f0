"""Answers that wait: ``?wait_s=`` holds a GET until its object leaves its pending state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.hints import Hints

T = TypeVar("T")

LOOK_AGAIN_S = 1.0


async def wait_until(
    load: Callable[[], Awaitable[T]],
    done: Callable[[T], bool],
    *,
    hints: Hints,
    channel: str,
    wait_s: float,
    look_again_s: float = LOOK_AGAIN_S,
) -> T:
    """The object once ``done`` says so, or as it is after ``wait_s``.

    Looks again on every hint, and after ``look_again_s`` without one: the database stays the truth.
    """
    found = await load()
    if wait_s <= 0 or done(found):
        return found
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    async with hints.listen(channel) as hint:
        found = await load()
        while not done(found) and (left_s := deadline - loop.time()) > 0:
            await hint.wait_notified(min(left_s, look_again_s))
            found = await load()
    return found
