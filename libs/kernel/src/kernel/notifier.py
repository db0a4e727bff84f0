"""Wakes what waits for work in this process. What other processes did is found by looking again, so none is needed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

from kernel.tasks import beside


class Notifier:
    """Keeps one notification until it is waited for: none is missed between two looks. One task waits for it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._subscribers: list[Self] = []

    def subscribe(self) -> Self:
        """Another notifier, for a task of its own, that is notified whenever this one is."""
        subscriber = type(self)()
        self._subscribers.append(subscriber)
        return subscriber

    def notify(self) -> None:
        """End the wait that is under way, or else the next."""
        self._event.set()
        for each in self._subscribers:
            each.notify()

    def clear(self) -> None:
        """Forget a notification: whoever calls this looks for work now."""
        self._event.clear()

    async def wait_notified(self, timeout_s: float | None) -> bool:
        """Wait for a notification, at most ``timeout_s`` seconds. Returns whether there was one; it is then used up."""
        if not self._event.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._event.wait()
        notified = self._event.is_set()
        self._event.clear()
        return notified

    @contextlib.asynccontextmanager
    async def notified_by(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """For the length of the block, ``stop`` notifies when it is set: a wait then ends and its loop can."""
        async with beside(self._notify_after(stop), name="notify at stop"):
            yield

    async def _notify_after(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.notify()
