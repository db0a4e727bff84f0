"""Listening to Redis channels over a connection that may die without a word.

Invariant: no read waits for ever, and a connection whose other end has gone silent is given up: it is asked for an
answer once in ``quiet_s`` without a message. Whoever listens makes a new one then.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Final

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from kernel.tasks import within

QUIET_S: Final = 15.0
ANSWER_S: Final = 2.0


class Reader:
    """Reads the messages of one connection."""

    def __init__(self, pubsub: PubSub, *, quiet_s: float = QUIET_S, answer_s: float = ANSWER_S) -> None:
        self._pubsub = pubsub
        self._quiet_s, self._answer_s = quiet_s, answer_s
        self._heard_at = time.monotonic()
        self._asked_at: float | None = None

    async def read(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message, or None after ``timeout_s``. Raises ``RedisError`` or ``OSError`` when nothing can come."""
        message: dict[str, Any] | None = await self._pubsub.get_message(timeout=timeout_s)
        now = time.monotonic()
        if message is not None:
            self._heard_at, self._asked_at = now, None
            return None if message["type"] == "pong" else message
        if self._asked_at is not None and now - self._asked_at > self._answer_s:
            raise TimeoutError("Redis answers no ping")
        if self._asked_at is None and now - self._heard_at >= self._quiet_s:
            await within(self._answer_s, self._ping())
            self._asked_at = now
        return None

    async def _ping(self) -> None:
        await self._pubsub.ping()


async def subscribe(pubsub: PubSub, *names: str) -> None:
    """Raises ``RedisError`` or ``OSError``."""
    await within(ANSWER_S, pubsub.subscribe(*names))


async def close(pubsub: PubSub) -> None:
    """Give the connection up, in bounded time."""
    with contextlib.suppress(RedisError, OSError):
        await within(ANSWER_S, pubsub.aclose())  # type: ignore[no-untyped-call]
