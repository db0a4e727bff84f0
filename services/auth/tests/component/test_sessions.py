"""Sessions: listed, ended, and the word of it everywhere within two seconds."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from auth_testing.service import PASSWORD, Service
from chassis import redis as chassis_redis
from chassis.tokens import Revocations
from testkit.wait import eventually, least_of_three

pytestmark = pytest.mark.component


@asynccontextmanager
async def another_service(redis_url: str) -> AsyncIterator[Revocations]:
    """What any other service keeps: its own copy of the revoked sessions, from Redis."""
    redis = chassis_redis.connect(redis_url)
    revocations, stop = Revocations(redis), asyncio.Event()
    running = asyncio.create_task(revocations.run(stop))
    try:
        yield revocations
    finally:
        stop.set()
        await running
        await redis.aclose()


async def known_after_s(revocations: Revocations, session_id: str) -> float:
    begun = time.perf_counter()
    await eventually(lambda: revocations.is_revoked(uuid.UUID(session_id)), timeout_s=20)
    return time.perf_counter() - begun


async def test_list_shows_ones_own_devices(service: Service) -> None:
    signed = await service.sign_up(device_name="Pixel 9")
    other = await service.call(
        "POST",
        "/v1/sessions",
        {"method": "password", "email": signed["user"]["email"], "password": PASSWORD, "device_name": "Laptop"},
    )
    listed = (await service.call("GET", "/v1/sessions", token=signed["access_token"])).body
    assert [(each["device_name"], each["current"]) for each in listed["items"]] == [
        ("Laptop", False),
        ("Pixel 9", True),
    ]
    assert listed["items"][0]["session_id"] == other.body["session_id"]
    assert listed["next_cursor"] is None


async def test_pages(service: Service) -> None:
    signed = await service.sign_up()
    for _ in range(4):
        await service.sign_in(signed["user"]["email"])
    seen, cursor = [], ""
    for _ in range(3):
        page = (await service.call("GET", f"/v1/sessions?limit=2{cursor}", token=signed["access_token"])).body
        seen += [each["session_id"] for each in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert len(set(seen)) == len(seen) == 5
    bad = await service.call("GET", "/v1/sessions?cursor=abc", token=signed["access_token"])
    assert (bad.status, bad.code) == (422, "cursor_invalid")


async def test_ending_one_reaches_every_service_in_two_seconds(service: Service, redis_url: str) -> None:
    signed = await service.sign_up()

    async def ended_after_s() -> float:
        other = (await service.sign_in(signed["user"]["email"])).body
        path = f"/v1/sessions/{other['session_id']}"
        async with another_service(redis_url) as revocations:
            answer = await service.call("DELETE", path, token=signed["access_token"])
            assert answer.status == 204
            after_s = await known_after_s(revocations, other["session_id"])
            assert not revocations.is_revoked(uuid.UUID(signed["session_id"]))
        again = await service.call("DELETE", path, token=signed["access_token"])
        assert (again.status, again.code) == (404, "auth.session.not_found")
        assert await service.fetchval(
            "SELECT revocation_announced_at IS NOT NULL FROM session WHERE id = $1", other["session_id"]
        )
        return after_s

    assert await least_of_three(ended_after_s) < 2.0


async def test_the_token_itself_is_refused_in_two_seconds(service: Service) -> None:
    async def refused_after_s() -> float:
        token = (await service.sign_up())["access_token"]
        await service.call("DELETE", "/v1/sessions/current", token=token)
        begun = time.perf_counter()

        async def refused() -> bool:
            answer = await service.call("GET", "/v1/users/me", token=token)
            return answer.status == 401 and answer.code == "auth.token.revoked"

        await eventually(refused, timeout_s=20)
        return time.perf_counter() - begun

    stop = asyncio.Event()
    running = asyncio.create_task(service.app.revocations.run(stop))
    try:
        assert await least_of_three(refused_after_s) < 2.0
    finally:
        stop.set()
        await running


async def test_all_others(service: Service) -> None:
    signed = await service.sign_up()
    for _ in range(3):
        await service.sign_in(signed["user"]["email"])
    answer = await service.call("DELETE", "/v1/sessions", token=signed["access_token"])
    assert (answer.status, answer.body) == (200, {"revoked": 3})
    listed = (await service.call("GET", "/v1/sessions", token=signed["access_token"])).body["items"]
    assert [each["session_id"] for each in listed] == [signed["session_id"]]
    assert (await service.events_of(signed["user"]["user_id"])).count("SessionRevoked") == 3


async def test_all_and_a_sign_in_at_the_same_moment(service: Service) -> None:
    """Whoever signed in before is out; whoever signs in after stays. Nothing is alive under an old version."""
    signed = await service.sign_up()
    email = signed["user"]["email"]
    racing = [asyncio.create_task(service.sign_in(email)) for _ in range(4)]
    answer = await service.call("DELETE", "/v1/sessions?scope=all", token=signed["access_token"])
    assert answer.status == 200
    await asyncio.gather(*racing)
    stale = await service.fetchval(
        "SELECT count(*) FROM session s JOIN user_account u ON u.id = s.user_id"
        " WHERE u.id = $1 AND s.revoked_at IS NULL AND s.token_version <> u.token_version",
        signed["user"]["user_id"],
    )
    assert stale == 0


async def test_a_crash_between_commit_and_word_is_made_good(
    service: Service, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise ConnectionError("the process ended here")

    async def made_good_after_s() -> float:
        signed = await service.sign_up()
        with monkeypatch.context() as crash:
            crash.setattr(Revocations, "publish", dies)
            await service.call("DELETE", "/v1/sessions/current", token=signed["access_token"])
        assert await service.fetchval(
            "SELECT revoked_at IS NOT NULL AND revocation_announced_at IS NULL FROM session WHERE id = $1",
            signed["session_id"],
        )
        async with another_service(redis_url) as revocations:
            assert await service.app.announcer.announce_missing() >= 1
            return await known_after_s(revocations, signed["session_id"])

    assert await least_of_three(made_good_after_s) < 2.0


async def test_a_redis_that_forgot_is_told_again(service: Service, redis_url: str) -> None:
    async def told_again_after_s() -> float:
        signed = await service.sign_up()
        await service.call("DELETE", "/v1/sessions/current", token=signed["access_token"])
        await service.app.redis.zrem("auth:revoked_sessions", signed["session_id"])
        async with another_service(redis_url) as revocations:
            assert not revocations.is_revoked(uuid.UUID(signed["session_id"]))

            async def told() -> bool:
                # A whole stack may run beside the tests, and its auth puts the marker back.
                await service.app.redis.delete("auth:revocations_complete")
                await service.app.announcer.announce_missing()
                return await service.app.redis.zscore("auth:revoked_sessions", signed["session_id"]) is not None

            await eventually(told)
            return await known_after_s(revocations, signed["session_id"])

    assert await least_of_three(told_again_after_s) < 2.0


async def test_while_redis_is_away_signing_out_works_and_is_told_later(service_without_redis: Service) -> None:
    signed = await service_without_redis.sign_up()
    answer = await service_without_redis.call("DELETE", "/v1/sessions/current", token=signed["access_token"])
    assert answer.status == 204
    assert await service_without_redis.fetchval(
        "SELECT revocation_announced_at IS NULL AND revoked_at IS NOT NULL FROM session WHERE id = $1",
        signed["session_id"],
    )
