"""Tells other nodes, over Redis. What cannot be told is dropped: they look at the tables anyway."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import Final

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis

from kernel.backoff import BackoffPolicy
from kernel.loops import repeat
from kernel.notifier import Notifier
from kernel.steps import Steps

QUEUE_MAX: Final = 20_000
STEP_S: Final = 30.0
_BATCH_MAX: Final = 200
_AGAIN: Final = BackoffPolicy.constant(0.25)
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
        self._notifier = Notifier()
        self._problem: str | None = None
        self.steps = Steps(STEP_S)

    def publish(self, channel: str, message: bytes) -> None:
        if len(self._queue) >= QUEUE_MAX:
            untold.inc()
            return
        self._queue.append((channel, message))
        self._notifier.notify()

    def problem(self) -> str | None:
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``, and then what is still queued."""
        await repeat(
            self._send,
            stop,
            steps=self.steps,
            again=_AGAIN,
            failed=self._failed,
            notifier=self._notifier,
            first_pause_s=None,
            unfinished=lambda: bool(self._queue),
        )

    async def _send(self) -> float | None:
        """One batch, which stays in the queue until it is sent."""
        batch = list(islice(self._queue, _BATCH_MAX))
        if not batch:
            return None
        async with self._redis.pipeline(transaction=False) as pipe:
            for channel, message in batch:
                pipe.publish(channel, message)
            await pipe.execute()
        for _ in batch:
            self._queue.popleft()
        self._problem = None
        told.inc(len(batch))
        return 0.0 if self._queue else None

    def _failed(self, error: Exception) -> None:
        """All that is queued is dropped."""
        untold.inc(len(self._queue))
        self._queue.clear()
        if self._problem is None:
            log.warning("realtime.hints_untold", error=type(error).__name__)
        self._problem = f"Redis does not answer: {type(error).__name__}"
