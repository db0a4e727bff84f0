"""Failures of the last minutes in Redis, a sorted set for each counter: who may try now, and what became of it.

An attempt counts as failed from the moment it is let through, so guesses made at the same moment do not slip through
together; one that never had an outcome (the process died, the machine stood still) stops counting after a while.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from redis.asyncio import Redis

from auth.domain.delays import CUT_OFF_AFTER, DELAY_MAX_S, FORGOTTEN_AFTER, Counter

# Members are 'p' (pending) or 'f' (failed) and the attempt's id, scored by the time of the attempt.
_RESERVE: Final = """
local now_ms, forgotten_ms, cut_off_ms, delay_max_s = unpack(ARGV, 1, 4)
local member, wait_ms = ARGV[5], 0
for number, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now_ms - forgotten_ms)
  local failures, last_ms, found = 0, 0, redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for i = 1, #found, 2 do
    local at_ms = tonumber(found[i + 1])
    if string.sub(found[i], 1, 1) == 'p' and at_ms <= now_ms - cut_off_ms then
      redis.call('ZREM', key, found[i])
    else
      failures, last_ms = failures + 1, math.max(last_ms, at_ms)
    end
  end
  local beyond = failures - tonumber(ARGV[5 + number])
  if beyond >= 0 then
    wait_ms = math.max(wait_ms, last_ms + math.min(delay_max_s, 2 ^ math.min(beyond, 16)) * 1000 - now_ms)
  end
end
if wait_ms > 0 then return math.ceil(wait_ms) end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now_ms, 'p' .. member)
  redis.call('PEXPIRE', key, forgotten_ms)
end
return 0
"""


class AttemptCounterStore:
    """Every method raises what Redis raises."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def reserve(self, keys: Sequence[str], counters: Sequence[Counter], attempt_id: UUID, now: datetime) -> float:
        """Seconds to wait; 0 when let through (and counted in all of them)."""
        script = self._redis.eval(
            _RESERVE,
            len(keys),
            *keys,
            str(_ms(now)),
            str(int(FORGOTTEN_AFTER.total_seconds() * 1000)),
            str(int(CUT_OFF_AFTER.total_seconds() * 1000)),
            str(DELAY_MAX_S),
            str(attempt_id),
            *(str(each.free_failures) for each in counters),
        )
        return await cast("Awaitable[int]", script) / 1000

    async def failed(self, keys: Sequence[str], attempt_id: UUID, at: datetime) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for key in keys:
                pipe.zrem(key, f"p{attempt_id}")
                pipe.zadd(key, {f"f{attempt_id}": _ms(at)})
                pipe.pexpire(key, FORGOTTEN_AFTER)
            await pipe.execute()

    async def succeeded(self, keys: Sequence[str], counters: Sequence[Counter], attempt_id: UUID) -> None:
        """Clear what a success clears; elsewhere only this attempt is taken back."""
        async with self._redis.pipeline(transaction=True) as pipe:
            for key, counter in zip(keys, counters, strict=True):
                if counter.place:
                    pipe.delete(key)
                else:
                    pipe.zrem(key, f"p{attempt_id}")
            await pipe.execute()


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
