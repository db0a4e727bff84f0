"""Waiting and timing for tests on a busy machine: no test sleeps and hopes, none fails for one stall."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any


async def eventually(
    check: Callable[[], Any], *, timeout_s: float = 10.0, every_s: float = 0.02, what: str = ""
) -> Any:
    """Return the first truthy value of ``check``, awaited when it is a coroutine function.

    Raises ``AssertionError`` with the last value (or the last exception) once ``timeout_s`` have passed.
    An exception counts as "not yet".
    """
    deadline = time.monotonic() + timeout_s
    last: object = None
    while True:
        try:
            value = check()
            result = await value if inspect.isawaitable(value) else value
            if result:
                return result
            last = result
        except Exception as error:  # noqa: BLE001 -- whatever is not ready yet
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what or check}; last: {last!r}")
        await asyncio.sleep(every_s)


async def least_of_three(attempt: Callable[[], Awaitable[float]]) -> float:
    """The smallest of what three attempts, one after the other, say of themselves: seconds, usually."""
    return min([await attempt() for _ in range(3)])
