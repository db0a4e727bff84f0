"""Looks where the watched streams stand: whatever a hint did not say is found here, a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from uuid import UUID

import structlog

from kernel.backoff import BackoffPolicy
from kernel.loops import repeat
from kernel.notifier import Notifier
from kernel.steps import Steps
from messaging.realtime.feed import Feed
from messaging.realtime.hub import Hub

EVERY_S: Final = 2.0
DEAF_EVERY_S: Final = 0.5
STEP_S: Final = 60.0
_AGAIN: Final = BackoffPolicy(first_s=DEAF_EVERY_S, cap_s=EVERY_S)
_AT_ONCE: Final = 2_000
log = structlog.get_logger(__name__)

Positions = Callable[[list[UUID]], Awaitable[dict[UUID, int]]]


class Poller:
    """``hears``: whether hints come in now. ``soon`` asks for a look without delay."""

    name: Final = "realtime-poller"
    critical: Final = False

    def __init__(self, hub: Hub, *, dialogs: Positions, accounts: Positions, hears: Callable[[], bool]) -> None:
        self._hub = hub
        self._dialogs, self._accounts, self._hears = dialogs, accounts, hears
        self._notifier = Notifier()
        self._problem: str | None = None
        self.steps = Steps(STEP_S)

    def soon(self) -> None:
        self._notifier.notify()

    def problem(self) -> str | None:
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        await repeat(self._look, stop, steps=self.steps, again=_AGAIN, failed=self._failed, notifier=self._notifier)

    async def look(self) -> None:
        """Compare all feeds with the tables once."""
        await self._compare(self._hub.dialogs, self._dialogs)
        await self._compare(self._hub.accounts, self._accounts)

    async def _look(self) -> float:
        await self.look()
        self._problem = None
        return EVERY_S if self._hears() else DEAF_EVERY_S

    def _failed(self, error: Exception) -> None:
        """The database may be away: the next look finds what this one missed."""
        self._problem = f"streams could not be looked at: {type(error).__name__}"
        log.warning("realtime.unlooked", error=type(error).__name__)

    async def _compare(self, feeds: dict[UUID, Feed], positions: Positions) -> None:
        for keys in _parts(list(feeds)):
            for key, last in (await positions(keys)).items():
                feed = feeds.get(key)
                if feed is not None:
                    feed.heard_of(last)
                    feed.retry()


def _parts(keys: list[UUID]) -> Iterable[list[UUID]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
