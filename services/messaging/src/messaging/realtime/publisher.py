"""Tells other nodes, over Redis. What cannot be told is dropped: they look at the tables anyway."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from kernel.steps import Steps
from kernel.tasks import beside

QUEUE_MAX: Final = 20_000
STEP_S: Final = 30.0
_BATCH_MAX: Final = 200
_PAUSE_S: Final = 0.25
log = structlog.get_logger(__name__)
told = Counter("messaging_realtime_hints_told", "Hints published on Redis")
untold = Counter("messaging_realtime_hints_untold", "Hints dropped because Redis was away or slow")


class Publisher:
    """A runner of every role. ``publish`` never waits."""

    name: Final = "realtime-hints"
    critical: Final = False

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue: deque[tuple[str, bytes]] = deque()
        self._wake = asyncio.Event()
        self._problem: str | None = None
        self.steps = Steps(STEP_S)

    def publish(self, channel: str, message: bytes) -> None:
        if len(self._queue) >= QUEUE_MAX:
            untold.inc()
            return
        self._queue.append((channel, message))
        self._wake.set()

    def problem(self) -> str | None:
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``, and then what is still queued."""
        async with beside(self._wake_when(stop)):
            while self._queue or not stop.is_set():
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    with self.steps.step():
                        await self._send([self._queue.popleft() for _ in range(min(len(self._queue), _BATCH_MAX))])
                if stop.is_set():
                    return

    async def _send(self, batch: list[tuple[str, bytes]]) -> None:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for channel, message in batch:
                    pipe.publish(channel, message)
                await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            untold.inc(len(batch) + len(self._queue))
            self._queue.clear()
            if self._problem is None:
                log.warning("realtime.hints_untold", error=type(error).__name__)
            self._problem = f"Redis does not answer: {type(error).__name__}"
            await asyncio.sleep(_PAUSE_S)
            return
        self._problem = None
        told.inc(len(batch))

    async def _wake_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()
