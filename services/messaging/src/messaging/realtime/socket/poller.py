"""Looks where the watched streams stand: whatever a hint did not say is found here, a little later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from chassis.run import Repeating
from kernel.backoff import BackoffPolicy
from messaging.realtime.socket.channels import Channels
from messaging.realtime.socket.hub import Hub

EVERY_S: Final = 2.0
DISCONNECTED_EVERY_S: Final = 0.5
_AT_ONCE: Final = 2_000


class Poller(Repeating):
    """It looks more often while ``channels`` are not connected. ``soon`` asks for a look without delay."""

    name = "realtime-poller"
    failing = "streams could not be looked at"
    again = BackoffPolicy(first_s=DISCONNECTED_EVERY_S, cap_s=EVERY_S)

    def __init__(self, hub: Hub, channels: Channels) -> None:
        super().__init__()
        self._hub, self._channels = hub, channels

    def soon(self) -> None:
        self.notifier.notify()

    async def step(self) -> float:
        await self.look()
        return EVERY_S if self._channels.connected else DISCONNECTED_EVERY_S

    async def look(self) -> None:
        """Compare all feeds with the tables once."""
        for streams in self._hub.streams:
            for keys in _parts(list(streams.feeds)):
                for key, last in (await streams.kind.positions(keys)).items():
                    feed = streams.feeds.get(key)
                    if feed is not None:
                        feed.heard_of(last)
                        feed.retry()


def _parts(keys: list[UUID]) -> Iterable[list[UUID]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
