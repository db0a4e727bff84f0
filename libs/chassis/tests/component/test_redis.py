"""Revocations, rate limits and hints over a real Redis; and what happens while it is away."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import SecretStr
from redis.asyncio import Redis

from chassis import waiting as waiting_module
from chassis.hints import Hints
from chassis.http import RateLimit, Routes, View, make_app
from chassis.limits import RateLimiter, Wanted
from chassis.redis import connect
from chassis.tokens import Principal, Revocations, TokenVerifier, revocations
from chassis.waiting import wait_until
from testkit.issuer import TokenIssuer
from testkit.serving import serving
from testkit.wait import eventually, least_of_three

pytestmark = pytest.mark.component

AWAY = "redis://127.0.0.1:1/0"


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(SecretStr(redis_url))
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def away() -> AsyncIterator[Redis]:
    client = connect(AWAY)
    yield client
    await client.aclose()


async def _stop(stop: asyncio.Event, *running: asyncio.Task[None]) -> None:
    stop.set()
    await asyncio.wait_for(asyncio.gather(*running), 5)


async def test_a_revocation_reaches_every_process_within_two_seconds(redis: Redis) -> None:
    stop = asyncio.Event()
    processes = [Revocations(redis) for _ in range(3)]
    running = [asyncio.create_task(each.run(stop)) for each in processes]

    async def revoked_after_s() -> float:
        session_id, begun = uuid.uuid4(), time.monotonic()
        assert not any(each.is_revoked(session_id) for each in processes)
        await Revocations.publish(redis, session_id, datetime.now(UTC))
        await eventually(lambda: all(each.is_revoked(session_id) for each in processes))
        return time.monotonic() - begun

    assert await least_of_three(revoked_after_s) < 2
    assert [each.problem() for each in processes] == [None] * 3
    await _stop(stop, *running)


async def test_a_process_that_starts_later_knows_it_too(redis: Redis) -> None:
    early, late_seen = uuid.uuid4(), uuid.uuid4()
    await Revocations.publish(redis, early, datetime.now(UTC) - timedelta(minutes=10))
    process = Revocations(redis)
    await process.refresh()
    assert process.is_revoked(early)
    # Auth's repair job publishes late what it revoked a little earlier: the overlap of polls finds it.
    await Revocations.publish(redis, late_seen, datetime.now(UTC) - timedelta(seconds=3))
    await process.refresh()
    assert process.is_revoked(late_seen)


async def test_revocations_older_than_any_token_are_forgotten(redis: Redis) -> None:
    old = uuid.uuid4()
    await Revocations.publish(redis, old, datetime.now(UTC) - timedelta(seconds=revocations.KEEP_S + 60))
    await Revocations.publish(redis, uuid.uuid4(), datetime.now(UTC))
    process = Revocations(redis)
    await process.refresh()
    assert not process.is_revoked(old)
    assert await redis.zscore(revocations.SET_KEY, str(old)) is None


async def test_while_redis_is_away_what_is_known_stays(
    redis: Redis, away: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = uuid.uuid4()
    await Revocations.publish(redis, session_id, datetime.now(UTC))
    process = Revocations(redis)
    await process.refresh()
    monkeypatch.setattr(process, "_redis", away)
    monkeypatch.setattr(revocations, "_PATIENCE_S", 0.2)
    stop = asyncio.Event()
    running = asyncio.create_task(process.run(stop))
    await eventually(lambda: process.problem() is not None)
    assert process.is_revoked(session_id)
    await _stop(stop, running)


async def test_a_limit_lets_so_many_through_and_says_when_there_are_more(redis: Redis) -> None:
    limiter, subject = RateLimiter(redis, prefix="test:limits"), uuid.uuid4().hex
    decisions = [await limiter.hit("x", subject, 3, 60) for _ in range(5)]
    assert [each.allowed for each in decisions] == [True, True, True, False, False]
    assert [each.remaining for each in decisions] == [2, 1, 0, 0, 0]
    assert all(0 < each.reset_s <= 60 for each in decisions)
    assert (await limiter.hit("x", uuid.uuid4().hex, 3, 60)).allowed
    assert (await limiter.hit("y", subject, 3, 60)).allowed


async def test_whoever_waits_as_told_gets_through(redis: Redis) -> None:
    limiter, subject = RateLimiter(redis, prefix="test:limits"), uuid.uuid4().hex

    async def refused_for_s() -> int:
        """0 when it is allowed."""
        hit = await limiter.hit("x", subject, 2, 0.4)
        return 0 if hit.allowed else hit.reset_s

    told_at = time.monotonic() + await eventually(refused_for_s)
    while time.monotonic() < told_at:
        if not await refused_for_s():
            return
        await asyncio.sleep(0.02)
    assert not await refused_for_s()


async def test_a_race_never_lets_too_many_through(redis: Redis) -> None:
    limiter, subject = RateLimiter(redis, prefix="test:limits"), uuid.uuid4().hex
    decisions = await asyncio.gather(*(limiter.hit("x", subject, 20, 3600) for _ in range(100)))
    assert sum(each.allowed for each in decisions) == 20


class Done(View):
    done: bool


async def test_many_subjects_take_what_they_may_have_in_one_round_trip(redis: Redis) -> None:
    limiter, one, other = RateLimiter(redis, prefix="test:limits"), uuid.uuid4().hex, uuid.uuid4().hex
    wanted = [Wanted(one, 3, 5), Wanted(other, 9, 4), Wanted(one, 3, 5)]
    taken = await limiter.take(wanted, 60)
    assert [(each.granted, each.remaining) for each in taken] == [(3, 2), (4, 0), (2, 0)]
    [refused] = await limiter.take([Wanted(one, 1, 5)], 60)
    assert (refused.granted, refused.remaining) == (0, 0)
    assert 0 < refused.wait_s <= 60


routes = Routes(tag="limited")


@routes.get("/v1/open", limit=RateLimit("open", per_user=2, window_s=60))
async def limited_open(principal: Principal) -> Done:
    return Done(done=True)


@routes.get("/v1/closed", auth="public", limit=RateLimit("closed", per_address=2, window_s=60, fails="closed"))
async def limited_closed() -> Done:
    return Done(done=True)


class NothingRevoked:
    def is_revoked(self, _: UUID) -> bool:
        return False


def _app(redis: Redis, issuer: TokenIssuer) -> Any:
    verifier = TokenVerifier("", issuer.issuer, issuer.audience, NothingRevoked(), fetch=issuer.fetch)  # type: ignore[arg-type]
    name = f"test{uuid.uuid4().hex[:8]}"
    return make_app(name, [routes], app=None, redis=redis, verifier=verifier, access_log=False)


async def test_a_limited_route_tells_where_its_caller_stands(redis: Redis, issuer: TokenIssuer) -> None:
    async with serving(_app(redis, issuer)) as call:
        token = issuer.token_for(uuid.uuid4())
        first, _, third = [await call("GET", "/v1/open", token=token) for _ in range(3)]
        assert first.status == 200
        assert first.headers["RateLimit-Policy"] == '"open";q=2;w=60'
        assert first.headers["RateLimit"].startswith('"open";r=1;t=')
        assert (third.status, third.code) == (429, "request.rate.limited")
        assert 0 < int(third.headers["Retry-After"]) <= 60
        assert third.headers["RateLimit"].startswith('"open";r=0;t=')
        assert (await call("GET", "/v1/open", token=issuer.token_for(uuid.uuid4()))).status == 200
        statuses = [(await call("GET", "/v1/closed")).status for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_without_redis_a_limit_is_open_or_closed_as_it_says(away: Redis, issuer: TokenIssuer) -> None:
    async with serving(_app(away, issuer)) as call:
        assert (await call("GET", "/v1/open", token=issuer.token_for(uuid.uuid4()))).status == 200
        refused = await call("GET", "/v1/closed")
        assert (refused.status, refused.code) == (503, "service.unavailable")


async def test_an_answer_waits_until_its_object_is_done(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_module, "LOOK_AGAIN_S", 60.0)  # nothing but the hint makes it look
    hints, channel = Hints(redis, prefix="test:hints"), uuid.uuid4().hex
    state = {"status": "pending", "looks": 0}

    async def load() -> str:
        state["looks"] = int(state["looks"]) + 1
        return str(state["status"])

    waiting = asyncio.create_task(
        wait_until(load, lambda status: status == "done", hints=hints, channel=channel, wait_s=60)
    )
    await eventually(lambda: state["looks"] == 2)
    state["status"] = "done"

    async def told() -> bool:
        await hints.publish(channel)
        return waiting.done()

    await eventually(told)
    assert await waiting == "done"
    await hints.close()


async def test_an_answer_comes_without_a_hint_too(away: Redis) -> None:
    hints = Hints(away, prefix="test:hints")
    states = iter(["pending", "pending", "done"])

    async def load() -> str:
        return next(states)

    assert await wait_until(load, lambda status: status == "done", hints=hints, channel="x", wait_s=5) == "done"
    await hints.publish("x")
    await hints.close()


async def test_an_answer_does_not_wait_longer_than_asked(redis: Redis) -> None:
    hints = Hints(redis, prefix="test:hints")

    async def load() -> str:
        return "pending"

    async def answered_after_s() -> float:
        begun = time.monotonic()
        assert await wait_until(load, lambda _: False, hints=hints, channel=uuid.uuid4().hex, wait_s=0.3) == "pending"
        return time.monotonic() - begun

    assert 0.25 < await least_of_three(answered_after_s) < 1.5
    await hints.close()


async def test_many_wait_on_one_connection(redis: Redis) -> None:
    hints = Hints(redis, prefix="test:hints")
    channels = [uuid.uuid4().hex for _ in range(50)]
    waiting = [asyncio.create_task(hints.wait(channel, 10)) for channel in channels]
    await eventually(lambda: len(hints._listeners) == 50)

    async def all_notified() -> bool:
        for channel in channels:
            await hints.publish(channel)
        return all(task.done() for task in waiting)

    await eventually(all_notified)
    assert all(task.result() for task in waiting)
    await hints.close()
