"""Rate limits in Redis: a sliding window of two counters, exact enough and two keys a subject.

Invariant: a refused hit does not count, so a caller who waits as told gets through.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis

# The share of the previous window that still overlaps counts, then this window's hits.
_SCRIPT: Final = """
local window_ms, now_ms, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local index = math.floor(now_ms / window_ms)
local into_ms = now_ms - index * window_ms
local current_key, previous_key = KEYS[1] .. ':' .. index, KEYS[1] .. ':' .. (index - 1)
local current = tonumber(redis.call('GET', current_key) or '0')
local previous = tonumber(redis.call('GET', previous_key) or '0')
local used = current + previous * (window_ms - into_ms) / window_ms
if used + 1 > limit then
  local wait_ms = window_ms - into_ms
  if previous > 0 and current + 1 <= limit then
    wait_ms = math.min(wait_ms, math.ceil((used + 1 - limit) * window_ms / previous))
  end
  return {0, 0, math.max(1, wait_ms)}
end
redis.call('INCR', current_key)
redis.call('PEXPIRE', current_key, window_ms * 2)
return {1, math.floor(limit - used - 1), window_ms - into_ms}
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether this hit is allowed; how many more are; in how many seconds there will be more."""

    allowed: bool
    remaining: int
    reset_s: int


class RateLimiter:
    """Counts hits per name and subject."""

    def __init__(self, redis: Redis, *, prefix: str = "limits") -> None:
        self._script = redis.register_script(_SCRIPT)
        self._prefix = prefix

    async def hit(self, name: str, subject: str, limit: int, window_s: float) -> Decision:
        """One more hit. Raises ``RedisError`` when Redis is away: the caller decides open or closed."""
        answer: Any = await self._script(
            keys=[f"{self._prefix}:{{{name}:{subject}}}"], args=[int(window_s * 1000), int(time.time() * 1000), limit]
        )
        allowed, remaining, reset_ms = (int(part) for part in answer)
        return Decision(allowed=bool(allowed), remaining=max(0, remaining), reset_s=math.ceil(reset_ms / 1000))
