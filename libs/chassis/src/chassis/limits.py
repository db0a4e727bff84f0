"""Rate limits in Redis: a sliding window of two counters, exact enough and two keys a subject; and hits taken ahead.

Invariant: a refused hit does not count, so a caller who waits as told gets through.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from redis.asyncio import Redis

from chassis.batching import Batcher

# The share of the previous window that still overlaps counts, then this window's hits. Each key takes what it may have
# of what it wants.
_SCRIPT: Final = """
local window_ms, now_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local index = math.floor(now_ms / window_ms)
local into_ms = now_ms - index * window_ms
local answers = {}
for number, key in ipairs(KEYS) do
  local wanted, limit = tonumber(ARGV[2 * number + 1]), tonumber(ARGV[2 * number + 2])
  local current_key, previous_key = key .. ':' .. index, key .. ':' .. (index - 1)
  local current = tonumber(redis.call('GET', current_key) or '0')
  local previous = tonumber(redis.call('GET', previous_key) or '0')
  local used = current + previous * (window_ms - into_ms) / window_ms
  local granted = math.max(0, math.min(wanted, math.floor(limit - used)))
  local wait_ms = window_ms - into_ms
  if granted > 0 then
    redis.call('INCRBY', current_key, granted)
    redis.call('PEXPIRE', current_key, window_ms * 2)
  elseif previous > 0 and current + 1 <= limit then
    wait_ms = math.min(wait_ms, math.ceil((used + 1 - limit) * window_ms / previous))
  end
  answers[#answers + 1] = granted
  answers[#answers + 1] = math.floor(limit - used - granted)
  answers[#answers + 1] = math.max(1, wait_ms)
end
return answers
"""


_AHEAD_S: Final = 10.0
_AHEAD_SHARE: Final = 50
_BUSY_S: Final = 1.0
_BUCKETS_KEPT: Final = 20_000
_ASKED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether this hit is allowed; how many more are; in how many seconds there will be more."""

    allowed: bool
    remaining: int
    reset_s: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """``amount`` hits of a subject that may have ``limit`` in a window."""

    subject: str
    amount: int
    limit: int


@dataclass(frozen=True, slots=True)
class Taken:
    """``granted`` of what was wanted; in ``wait_s`` there will be more."""

    granted: int
    remaining: int
    wait_s: float


class PrefetchedTokens:
    """Hits of one subject that this process has taken ahead: who asks much asks Redis seldom.

    Invariant: no more is let through in a window than its limit and what was taken ahead before it.
    """

    __slots__ = ("_ahead", "_remaining", "_reset_at", "asked_at", "limit", "refused_until", "subject", "tokens")

    def __init__(self, subject: str, limit: int) -> None:
        self.subject, self.limit = subject, limit
        self.tokens, self.asked_at, self.refused_until = 0, 0.0, 0.0
        self._ahead, self._remaining, self._reset_at = 1, limit, 0.0

    def has(self, now: float) -> bool:
        """Whether a hit may be let through without a question; times are of the monotonic clock."""
        return self.tokens > 0 and now - self.asked_at < _AHEAD_S

    def wants(self, count: int, now: float) -> Wanted:
        """What to ask for: twice as much as before if that lasted for less than a second."""
        busy = now - self.asked_at < _BUSY_S
        self._ahead = min(self._ahead * 2, max(1, self.limit // _AHEAD_SHARE)) if busy else 1
        return Wanted(self.subject, max(count, self._ahead), self.limit)

    def fill(self, taken: Taken, count: int, now: float) -> None:
        """The answer to ``count`` who asked."""
        self.tokens = taken.granted + (self.tokens if self.has(now) else 0)
        self.asked_at, self._remaining, self._reset_at = now, taken.remaining, now + taken.wait_s
        if taken.granted < count:
            self.refused_until = self._reset_at

    def spend(self, now: float) -> Decision | None:
        """One hit; None where Redis must be asked first."""
        allowed = self.has(now)
        if not allowed and self.refused_until <= now:
            return None
        self.tokens -= allowed
        left = self.tokens if self.has(now) else 0
        reset_s = max(1, math.ceil(self._reset_at - now))
        return Decision(allowed=allowed, remaining=self._remaining + left, reset_s=reset_s)


class RateLimiter:
    """Counts hits per name and subject."""

    def __init__(self, redis: Redis, *, prefix: str) -> None:
        self._script = redis.register_script(_SCRIPT)
        self._prefix = prefix

    async def hit(self, name: str, subject: str, limit: int, window_s: float) -> Decision:
        """One more hit. Raises ``RedisError`` when Redis is away: the caller decides open or closed."""
        [taken] = await self.take([Wanted(f"{name}:{subject}", 1, limit)], window_s)
        return Decision(allowed=taken.granted > 0, remaining=taken.remaining, reset_s=math.ceil(taken.wait_s))

    async def take(self, wanted: Sequence[Wanted], window_s: float) -> list[Taken]:
        """Hits of many subjects in one round trip, in order: of each as many as it may have. Raises as ``hit``."""
        answer: Any = await self._script(
            keys=[f"{self._prefix}:{{{each.subject}}}" for each in wanted],
            args=[
                int(window_s * 1000),
                int(time.time() * 1000),
                *(part for each in wanted for part in (each.amount, each.limit)),
            ],
        )
        parts = iter(int(part) for part in answer)
        return [
            Taken(granted=granted, remaining=max(0, remaining), wait_s=wait_ms / 1000)
            for granted, remaining, wait_ms in zip(parts, parts, parts, strict=True)
        ]


class Questions:
    """What is asked of Redis while a question is under way is asked together. ``answer_s``: how long one may take."""

    def __init__(self, limiter: RateLimiter, window_s: float, *, answer_s: float) -> None:
        self._limiter, self._window_s, self._answer_s = limiter, window_s, answer_s
        self._batcher: Batcher[Sequence[PrefetchedTokens], None] = Batcher(self._ask, batch_max=_ASKED_AT_ONCE)

    async def ask(self, short: Sequence[PrefetchedTokens]) -> None:
        """Fill the buckets, each for one hit more. Raises as ``RateLimiter.hit``, and ``TimeoutError``."""
        await self._batcher.ask(short)

    async def _ask(self, questions: Sequence[Sequence[PrefetchedTokens]]) -> list[None]:
        counts = Counter(bucket for each in questions for bucket in each)
        now = time.monotonic()
        async with asyncio.timeout(self._answer_s):
            wanted = [bucket.wants(count, now) for bucket, count in counts.items()]
            taken = await self._limiter.take(wanted, self._window_s)
        now = time.monotonic()
        for (bucket, count), answer in zip(counts.items(), taken, strict=True):
            bucket.fill(answer, count, now)
        return [None] * len(questions)


K = TypeVar("K")
B = TypeVar("B", bound=PrefetchedTokens)


def bucket_of(kept: dict[K, B], key: K, make: Callable[[], B]) -> B:
    """The bucket kept under ``key``, or a new one. Of too many, the half that asked longest ago is forgotten: what they
    had taken ahead stays counted.
    """
    bucket = kept.get(key)
    if bucket is None:
        if len(kept) >= _BUCKETS_KEPT:
            for old, _ in sorted(kept.items(), key=lambda item: item[1].asked_at)[: len(kept) // 2]:
                del kept[old]
        bucket = kept[key] = make()
    return bucket
