"""Hints that something changed: Redis pub/sub, one connection a process, for answers that wait.

Invariant: a hint is never needed. It may be lost or come for nothing; whoever waits looks at the database again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from chassis import pubsub
from kernel.notifier import Notifier
from kernel.tasks import stop_tasks, within

log = structlog.get_logger()

_READ_S = 1.0


class Hints:
    """Publishes hints; listens to as many channels as there are waiting requests, over one connection."""

    def __init__(self, redis: Redis, *, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix
        self._listeners: dict[str, set[Notifier]] = {}
        self._pubsub: PubSub | None = None
        self._reading: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def publish(self, channel: str) -> None:
        """Notify every listener of the channel. Redis being away is logged, not raised."""
        try:
            await self._redis.publish(self._name(channel), b"")
        except (RedisError, OSError) as error:
            log.warning("hints.unpublished", error=type(error).__name__)

    async def wait(self, channel: str, timeout_s: float) -> bool:
        """Wait for one hint. Look at the database after subscribing instead with ``listen`` where a gap matters."""
        async with self.listen(channel) as hint:
            return await hint.wait_notified(timeout_s)

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Notifier]:
        """What is notified from the beginning of the block on: look, then wait, and nothing falls between."""
        name, listener = self._name(channel), Notifier()
        await self._add(name, listener)
        try:
            yield listener
        finally:
            await self._remove(name, listener)

    async def close(self) -> None:
        """Stop listening."""
        if self._reading is not None:
            await stop_tasks(self._reading)
            self._reading = None
        await self._give_up()

    def _name(self, channel: str) -> str:
        return f"{self._prefix}:{channel}"

    async def _add(self, name: str, listener: Notifier) -> None:
        listeners = self._listeners.setdefault(name, set())
        listeners.add(listener)
        if len(listeners) > 1:
            return
        try:
            await within(pubsub.ANSWER_S, self._subscribe(name))
        except (RedisError, OSError) as error:
            log.warning("hints.unsubscribed", error=type(error).__name__)
        if self._listeners and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read(), name="hints.read")

    async def _remove(self, name: str, listener: Notifier) -> None:
        listeners = self._listeners.get(name, set())
        listeners.discard(listener)
        if listeners:
            return
        self._listeners.pop(name, None)
        try:
            await within(pubsub.ANSWER_S, self._unsubscribe(name))
        except (RedisError, OSError):
            log.debug("hints.unsubscribe_failed")

    async def _subscribe(self, name: str) -> None:
        async with self._lock:
            if self._pubsub is not None:
                await self._pubsub.subscribe(name)
            else:
                opened = self._redis.pubsub(ignore_subscribe_messages=True)
                try:
                    await opened.subscribe(*{name, *self._listeners})
                except BaseException:
                    await pubsub.close(opened)
                    raise
                self._pubsub = opened

    async def _unsubscribe(self, name: str) -> None:
        async with self._lock:
            if self._pubsub is not None and name not in self._listeners:
                await self._pubsub.unsubscribe(name)

    async def _give_up(self) -> None:
        given_up, self._pubsub = self._pubsub, None
        if given_up is not None:
            await pubsub.close(given_up)

    async def _read(self) -> None:
        """While anybody waits. Whatever becomes of the connection, all look for themselves, and there is a new one."""
        while self._listeners:
            try:
                if self._pubsub is None:
                    await within(pubsub.ANSWER_S, self._subscribe(next(iter(self._listeners))))
                else:
                    await self._hear(self._pubsub)
            except Exception as error:  # noqa: BLE001 -- a hint is never needed
                log.debug("hints.unheard", error=type(error).__name__)
                await self._give_up()
                self._notify_all()
                await asyncio.sleep(_READ_S)

    async def _hear(self, channels: PubSub) -> None:
        reader = pubsub.Reader(channels)
        while self._listeners:
            message = await reader.read(_READ_S)
            if message is not None:
                channel = message["channel"]
                name = channel.decode() if isinstance(channel, bytes) else channel
                for listener in tuple(self._listeners.get(name, ())):
                    listener.notify()

    def _notify_all(self) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.notify()
