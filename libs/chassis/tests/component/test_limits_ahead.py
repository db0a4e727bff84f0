"""Limits of routes: who asks much asks Redis seldom, and nobody gets more than the limit or less for being slow."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Literal

import pytest
from redis.asyncio import Redis

from chassis.errors import RateLimitedError
from chassis.http.limiting import Limits
from chassis.http.routes import RateLimit
from chassis.limits import PrefetchedTokens, RateLimiter, Taken, Wanted
from chassis.redis import connect


class Asked(RateLimiter):
    """Counts the questions."""

    questions = 0

    async def take(self, wanted: Sequence[Wanted], window_s: float) -> list[Taken]:
        self.questions += 1
        return await super().take(wanted, window_s)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    made = connect(redis_url)
    yield made
    await made.aclose()


def a_limit(quota: int, fails: Literal["open", "closed"] = "open") -> RateLimit:
    return RateLimit(uuid.uuid4().hex, per_address=quota, window_s=3_600, fails=fails)


async def allowed(limits: Limits, limit: RateLimit, times: int) -> int:
    let_through = 0
    for _ in range(times):
        try:
            await limits.check([limit], None, "address")
        except RateLimitedError:
            continue
        let_through += 1
    return let_through


async def test_who_asks_much_asks_redis_seldom(redis: Redis) -> None:
    limiter = Asked(redis, prefix="test:ahead")
    assert await allowed(Limits(limiter), a_limit(10_000), 1_000) == 1_000
    assert limiter.questions < 100


async def test_what_fails_closed_is_asked_each_time(redis: Redis) -> None:
    limiter = Asked(redis, prefix="test:ahead")
    assert await allowed(Limits(limiter), a_limit(10_000, "closed"), 50) == 50
    assert limiter.questions == 50


@pytest.mark.parametrize("quota", [1, 3, 60, 250])
async def test_alone_everybody_gets_exactly_the_limit(redis: Redis, quota: int) -> None:
    limits, limit = Limits(RateLimiter(redis, prefix="test:ahead")), a_limit(quota)
    assert await allowed(limits, limit, quota * 2) == quota


async def test_processes_together_let_through_the_limit_less_what_they_took_ahead(redis: Redis) -> None:
    processes, limit = [Limits(RateLimiter(redis, prefix="test:ahead")) for _ in range(3)], a_limit(300)
    shares = await asyncio.gather(*(allowed(each, limit, 200) for each in processes))
    assert 300 - 3 * (300 // 50) <= sum(shares) <= 300


async def test_what_is_told_counts_down_by_one(redis: Redis) -> None:
    limits, limit = Limits(RateLimiter(redis, prefix="test:ahead")), a_limit(200)
    told = [(await limits.check([limit], None, "address"))["RateLimit"] for _ in range(20)]
    assert [each.split(";")[1] for each in told] == [f"r={left}" for left in range(199, 179, -1)]


def test_who_asks_slowly_takes_nothing_ahead() -> None:
    bucket, now = PrefetchedTokens("subject", 600), time.monotonic()
    for second in range(60):
        assert not bucket.has(now + second * 1.5)
        wanted = bucket.wants(1, now + second * 1.5)
        assert wanted.amount == 1
        bucket.fill(Taken(granted=1, remaining=500, wait_s=30), 1, now + second * 1.5)
        decision = bucket.spend(now + second * 1.5)
        assert decision is not None
        assert decision.allowed


async def test_who_asks_in_bursts_below_the_limit_is_never_refused(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken ahead and not used is lost: so a burst takes what it needs, once."""
    clock = [time.monotonic()]
    monkeypatch.setattr("chassis.http.limiting.time.monotonic", lambda: clock[0])
    limits, limit = Limits(RateLimiter(redis, prefix="test:ahead")), a_limit(600)
    for _ in range(5):
        for _ in range(2):
            assert sum(await asyncio.gather(*(allowed(limits, limit, 1) for _ in range(20)))) == 20
        clock[0] += 11
