"""Wakes this process's runners when work for them was committed here; other processes find it by polling."""

from __future__ import annotations

import asyncio
import contextlib


class Doorbell:
    """Each waiter has a bell of its own, so that no ring is missed between two looks."""

    def __init__(self) -> None:
        self._bells: list[asyncio.Event] = []

    def subscribe(self) -> asyncio.Event:
        bell = asyncio.Event()
        self._bells.append(bell)
        return bell

    def ring(self) -> None:
        for bell in self._bells:
            bell.set()


async def rung(bell: asyncio.Event, *, timeout_s: float) -> None:
    """Wait for the bell, at most ``timeout_s``."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(bell.wait(), timeout_s)
