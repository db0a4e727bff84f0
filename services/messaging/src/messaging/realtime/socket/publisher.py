"""Tells other nodes, over Redis. What cannot be told is dropped: they look at the tables anyway."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

from prometheus_client import Counter
from redis.asyncio import Redis

from chassis.run import Repeating
from kernel.backoff import BackoffPolicy

QUEUE_MAX: Final = 20_000
_BATCH_MAX: Final = 200
told = Counter("messaging_realtime_hints_told", "Hints published on Redis")
untold = Counter("messaging_realtime_hints_untold", "Hints dropped because Redis was away or slow")


class Publisher(Repeating):
    """A runner of every role. ``publish`` never waits. Before a stop, what is queued is sent."""

    name = "realtime-hints"
    failing = "Redis does not answer"
    bound_s = 30.0
    again = BackoffPolicy.constant(0.25)
    first_pause_s = None

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis = redis
        self._queue: deque[tuple[str, bytes]] = deque()

    def publish(self, channel: str, message: bytes) -> None:
        if len(self._queue) >= QUEUE_MAX:
            untold.inc()
            return
        self._queue.append((channel, message))
        self.notifier.notify()

    def unfinished(self) -> bool:
        return bool(self._queue)

    async def step(self) -> float | None:
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
        told.inc(len(batch))
        return 0.0 if self._queue else None

    def failed(self, error: Exception) -> None:
        """All that is queued is dropped, which is in the log once."""
        if self.problem() is None:
            super().failed(error)
        untold.inc(len(self._queue))
        self._queue.clear()
