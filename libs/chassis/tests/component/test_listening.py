"""What listens to Redis survives resets and silence, and ends wherever it is cancelled."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
import uvloop
from redis.asyncio import Connection, Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from chassis import pubsub
from chassis.hints import Hints
from chassis.redis import check_fresh, connect
from chassis.tokens import Revocations
from kernel.tasks import beside, stop_tasks
from testkit.cancelling import cancelled_at_every_await
from testkit.resets import ResettingProxy
from testkit.sizes import SOAK
from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.timeout(900 if SOAK else 120)]

RESETS = 3_000 if SOAK else 120
NTHS = range(1, 300) if SOAK else (1, 2, 3, 5, 8, 13, 20, 30)


@pytest.fixture
def proxy(redis_url: str) -> Iterator[ResettingProxy]:
    parts = urlsplit(redis_url)
    with ResettingProxy(parts.hostname or "127.0.0.1", parts.port or 6379) as proxy:
        yield proxy


def through(proxy: ResettingProxy, redis_url: str) -> Redis:
    return connect(redis_url.replace(f":{urlsplit(redis_url).port}", f":{proxy.port}"))


@pytest_asyncio.fixture
async def proxied(proxy: ResettingProxy, redis_url: str) -> AsyncIterator[Redis]:
    client = through(proxy, redis_url)
    yield client
    await client.aclose()


def test_resets_make_nobody_deaf(proxy: ResettingProxy, redis_url: str) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_reset_again_and_again(proxy, redis_url))


async def _reset_again_and_again(proxy: ResettingProxy, redis_url: str) -> None:
    direct, redis = connect(redis_url), through(proxy, redis_url)
    hints, revocations = [Hints(redis, prefix=f"test:{n}") for n in range(8)], [Revocations(redis) for _ in range(8)]
    stop = asyncio.Event()
    running = [asyncio.create_task(each.run(stop)) for each in revocations]
    waiting = [asyncio.create_task(_wait_for_ever(each)) for each in hints]
    while proxy.resets < RESETS:
        await asyncio.sleep(0.05)
        await asyncio.to_thread(proxy.reset)
    assert not any(task.done() for task in [*running, *waiting])

    session_id = uuid.uuid4()
    await Revocations.publish(direct, session_id, datetime.now(UTC))
    await eventually(lambda: all(each.is_revoked(session_id) for each in revocations))
    await eventually(lambda: all(each.problem() is None for each in revocations))
    for number, each in enumerate(hints):
        async with each.listen("x") as hint:

            async def notified(hint: Any = hint, number: int = number) -> bool:
                await direct.publish(f"test:{number}:x", b"")
                return bool(await hint.wait_notified(0.1))

            await eventually(notified, what="hints are heard again")
    stop.set()
    await asyncio.wait_for(asyncio.gather(*running), 10)
    await stop_tasks(*waiting)
    for each in hints:
        await each.close()
    await redis.aclose()
    await direct.aclose()


async def _wait_for_ever(hints: Hints) -> None:
    async with hints.listen("for-ever") as hint:
        while True:
            await hint.wait_notified(60)


async def test_a_connection_that_fell_silent_is_given_up(proxy: ResettingProxy, proxied: Redis) -> None:
    channel = proxied.pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe(channel, "test:silence")
    reader = pubsub.Reader(channel, quiet_s=0.2, answer_s=0.3)
    for _ in range(8):
        assert await reader.read(0.1) is None, "an idle connection that answers is kept"
    proxy.silence(True)

    async def read_on() -> None:
        while True:
            await reader.read(0.1)

    reading = asyncio.create_task(read_on())
    await asyncio.wait({reading}, timeout=10)
    assert reading.done()
    with pytest.raises((TimeoutError, RedisConnectionError)):
        reading.result()
    await pubsub.close(channel)


async def test_negative_control_a_plain_read_of_a_silent_connection_waits_for_ever(
    proxy: ResettingProxy, proxied: Redis
) -> None:
    channel = proxied.pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe(channel, "test:silence")
    proxy.silence(True)

    async def listen() -> None:
        async for _ in channel.listen():
            pass

    async with beside(listen()) as listening:
        await asyncio.sleep(2)
        assert not listening.done()
    await pubsub.close(channel)


@pytest.mark.parametrize("part", ["revocations", "hints"])
async def test_it_ends_wherever_it_is_cancelled(proxied: Redis, part: str) -> None:
    async def revocations() -> None:
        await Revocations(proxied).run(asyncio.Event())

    async def hints() -> None:
        made = Hints(proxied, prefix=f"test:{uuid.uuid4().hex}")
        try:
            async with made.listen("x") as hint:
                await made.publish("x")
                await hint.wait_notified(5)
        finally:
            await made.close()

    parts: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {"revocations": revocations, "hints": hints}
    assert await cancelled_at_every_await(parts[part], NTHS, within_s=6, reach_s=2) >= 5


class Swallows:
    """A connection whose subscribe loses a cancel, as redis-py's did while it connected."""

    async def subscribe(self, *_: str) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    async def aclose(self) -> None:
        return


class RedisThatSwallows:
    def pubsub(self, **_: Any) -> Swallows:
        return Swallows()

    async def zrangebyscore(self, *_: Any, **__: Any) -> list[Any]:
        return []


async def test_revocations_end_although_their_listeners_cancel_is_lost() -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(Revocations(RedisThatSwallows()).run(stop))  # type: ignore[arg-type]
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.wait_for(running, 10)


@pytest.mark.parametrize(("made", "error"), [("ours", RedisConnectionError), ("redis-py's", RuntimeError)])
async def test_a_reset_under_uvloop_is_a_redis_error(
    proxied: Redis, made: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: Any) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    kind = proxied.connection_pool.connection_class if made == "ours" else Connection
    connection = kind(**proxied.connection_pool.connection_kwargs)
    await connection.connect()
    monkeypatch.setattr(connection, "_send_packed_command", refused)
    with pytest.raises(error):
        await connection.send_command("PING")


async def test_a_new_connection_is_asked_for(proxy: ResettingProxy, proxied: Redis) -> None:
    await check_fresh(proxied)
    await proxied.ping()
    proxy.refuse(True)
    await proxied.ping()
    with pytest.raises((RedisConnectionError, OSError)):
        await check_fresh(proxied)
