"""Hears other nodes, over Redis: one connection, the channels that somebody here wants.

While its channels are not ``connected`` the node hears nothing and must look at the tables more often; when they are
again, it must look once more, for what was said meanwhile is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from chassis import pubsub
from kernel.loops import pause
from kernel.steps import Steps
from kernel.tasks import beside, within
from messaging.realtime.socket.channels import Channels

NODES_CHANNEL: Final = "messaging:nodes"
_AT_ONCE: Final = 500
_READ_S: Final = 1.0
_RETRY_S: Final = 0.5
_STEP_S: Final = 30.0
log = structlog.get_logger(__name__)


class Listener:
    """``on_message(channel, message)`` is called for each; ``on_connected`` whenever hearing begins anew."""

    name: Final = "realtime-listener"
    critical: Final = False

    def __init__(
        self,
        redis: Redis,
        channels: Channels,
        *,
        on_message: Callable[[str, bytes], None],
        on_connected: Callable[[], None],
    ) -> None:
        self._redis = redis
        self._channels = channels
        self._on_message, self._on_connected = on_message, on_connected
        self.steps = Steps(_STEP_S)

    def problem(self) -> str | None:
        return None if self._channels.connected else "Redis is not heard; looking at the tables instead"

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._listen(stop)
            except Exception as error:  # noqa: BLE001 -- whatever it was, a new connection hears again
                if self._channels.connected:
                    log.warning("realtime.deaf", error=type(error).__name__)
                self._channels.connected = False
                await pause(stop, _RETRY_S)
        self._channels.connected = False

    async def _listen(self, stop: asyncio.Event) -> None:
        subscription = self._redis.pubsub(ignore_subscribe_messages=True)
        try:
            with self.steps.step():
                wanted = self._channels.take_all()
                await pubsub.subscribe(subscription, NODES_CHANNEL)
                await _in_parts(subscription.subscribe, wanted)
            async with beside(self._change(subscription), name="realtime-listener.channels") as changing:
                await self._read(pubsub.Reader(subscription), changing, stop)
        finally:
            await pubsub.close(subscription)

    async def _read(self, reader: pubsub.Reader, changing: asyncio.Task[None], stop: asyncio.Event) -> None:
        while not stop.is_set():
            with self.steps.step():
                message = await reader.read(_READ_S)
            if changing.done():
                changing.result()
            if not self._channels.connected:
                self._channels.connected = True
                self._on_connected()
            if message is not None:
                self._on_message(_text(message["channel"]), message["data"])

    async def _change(self, subscription: PubSub) -> None:
        """Tell Redis about channels that came and went."""
        while True:
            came, went = await self._channels.changes()
            await _in_parts(subscription.subscribe, came)
            await _in_parts(subscription.unsubscribe, went)


async def _in_parts(call: Callable[..., Any], names: list[str]) -> None:
    for start in range(0, len(names), _AT_ONCE):
        await within(pubsub.ANSWER_S, call(*names[start : start + _AT_ONCE]))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
