"""Hints that something changed: Redis pub/sub, one connection a process, for answers that wait.

Invariant: a hint is never needed. It may be lost or come for nothing; whoever waits looks at the database again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

_READ_S = 1.0


class Hint:
    """One listener's bell."""

    __slots__ = ("_rung",)

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, timeout_s: float) -> bool:
        """True when rung within the time; the bell is silent again afterwards."""
        try:
            await asyncio.wait_for(self._rung.wait(), timeout_s)
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class Hints:
    """Publishes hints; listens to as many channels as there are waiting requests, over one connection."""

    def __init__(self, redis: Redis, *, prefix: str = "hints") -> None:
        self._redis = redis
        self._prefix = prefix
        self._bells: dict[str, set[Hint]] = {}
        self._pubsub: Any = None
        self._reader: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def publish(self, channel: str) -> None:
        """Ring every listener of the channel. Redis being away is logged, not raised."""
        try:
            await self._redis.publish(self._name(channel), b"")
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("hints.unpublished", error=type(error).__name__)

    async def wait(self, channel: str, timeout_s: float) -> bool:
        """Wait for one hint. Look at the database after subscribing instead with ``listen`` where a gap matters."""
        async with self.listen(channel) as hint:
            return await hint.wait(timeout_s)

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Hint]:
        """A bell that is subscribed when the block begins: look, then wait, and nothing falls between."""
        name, bell = self._name(channel), Hint()
        await self._add(name, bell)
        try:
            yield bell
        finally:
            await self._remove(name, bell)

    async def close(self) -> None:
        """Stop listening."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        if self._pubsub is not None:
            await self._pubsub.aclose()
            self._pubsub = None

    def _name(self, channel: str) -> str:
        return f"{self._prefix}:{channel}"

    async def _add(self, name: str, bell: Hint) -> None:
        bells = self._bells.setdefault(name, set())
        bells.add(bell)
        if len(bells) > 1:
            return
        try:
            async with self._lock:
                if self._pubsub is None:
                    self._pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
                await self._pubsub.subscribe(name)
                if self._reader is None or self._reader.done():
                    self._reader = asyncio.create_task(self._read())
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("hints.unsubscribed", error=type(error).__name__)

    async def _remove(self, name: str, bell: Hint) -> None:
        bells = self._bells.get(name, set())
        bells.discard(bell)
        if bells:
            return
        self._bells.pop(name, None)
        try:
            async with self._lock:
                if self._pubsub is not None and name not in self._bells:
                    await self._pubsub.unsubscribe(name)
        except (RedisError, OSError, TimeoutError):
            log.debug("hints.unsubscribe_failed")

    async def _read(self) -> None:
        while self._bells:
            try:
                message = await self._pubsub.get_message(timeout=_READ_S)
            except (RedisError, OSError, TimeoutError):
                self._ring_all()
                await asyncio.sleep(_READ_S)
                continue
            if message is not None:
                channel = message["channel"]
                name = channel.decode() if isinstance(channel, bytes) else channel
                for bell in tuple(self._bells.get(name, ())):
                    bell.ring()

    def _ring_all(self) -> None:
        for bells in self._bells.values():
            for bell in bells:
                bell.ring()
