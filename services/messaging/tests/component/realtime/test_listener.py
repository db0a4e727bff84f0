"""The node's ear survives resets, and ends wherever it is cancelled."""

import asyncio
import uuid
from urllib.parse import urlsplit

import pytest
import uvloop

from chassis.redis import connect
from messaging.realtime.socket.channels import Channels
from messaging.realtime.socket.listener import Listener
from testkit.cancelling import cancelled_at_every_await
from testkit.resets import ResettingProxy
from testkit.sizes import SOAK
from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.timeout(900 if SOAK else 120)]

RESETS = 2_000 if SOAK else 60
NTHS = range(1, 200) if SOAK else (1, 2, 3, 5, 8, 13, 21)


@pytest.fixture
def proxy(redis_url):
    parts = urlsplit(redis_url)
    with ResettingProxy(parts.hostname, parts.port) as proxy:
        yield proxy


def through(proxy, redis_url):
    return connect(redis_url.replace(f":{urlsplit(redis_url).port}", f":{proxy.port}"))


def test_resets_do_not_make_it_deaf(proxy, redis_url):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_reset_again_and_again(proxy, redis_url))


async def _reset_again_and_again(proxy, redis_url):
    direct, redis, heard = connect(redis_url), through(proxy, redis_url), []
    wanted = [Channels() for _ in range(6)]
    listeners = [
        Listener(redis, each, on_message=lambda channel, data: heard.append((channel, data)), on_connected=lambda: None)
        for each in wanted
    ]
    channels = [f"test:{uuid.uuid4().hex}" for _ in listeners]
    stop = asyncio.Event()
    running = [asyncio.create_task(each.run(stop)) for each in listeners]
    while proxy.resets < RESETS:
        for each in wanted:
            each.want(f"test:{uuid.uuid4().hex}")
        await asyncio.sleep(0.1)
        await asyncio.to_thread(proxy.reset)
    for each, channel in zip(wanted, channels, strict=True):
        each.want(channel)

    async def all_hear():
        for channel in channels:
            await direct.publish(channel, b"again")
        return {channel for channel, _ in heard} >= set(channels)

    await eventually(all_hear, every_s=0.2, timeout_s=20)
    assert all(listener.problem() is None for listener in listeners)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*running), 10)
    await redis.aclose()
    await direct.aclose()


async def test_it_ends_wherever_it_is_cancelled(proxy, redis_url):
    redis = through(proxy, redis_url)

    async def run():
        channels = Channels()
        listener = Listener(redis, channels, on_message=lambda *_: None, on_connected=lambda: None)
        channels.want("test:x")
        await listener.run(asyncio.Event())

    assert await cancelled_at_every_await(run, NTHS, within_s=6) >= 5
    await redis.aclose()
