"""A consumer takes a new Kafka client whatever became of the old one."""

import asyncio

import pytest

from eventing import Consumer, KafkaConfig, OutboxConfig, Subscriptions
from eventing import consumer as consumer_module


class Client:
    """Fails when it is polled; stopping it lets a cancellation escape, as aiokafka's may."""

    def __init__(self):
        self._fetcher = type("Fetcher", (), {})()

    def subscribe(self, topics, listener):
        pass

    async def start(self):
        pass

    async def getmany(self, **_):
        raise OSError("the broker is gone")

    async def stop(self):
        own = asyncio.create_task(asyncio.sleep(60))
        own.cancel()
        await own


@pytest.fixture
def made(monkeypatch):
    clients = []

    def make(*_):
        clients.append(Client())
        return clients[-1]

    monkeypatch.setattr(consumer_module, "make_consumer", make)
    monkeypatch.setattr(consumer_module, "backoff_s", lambda _: 0.01)
    return clients


def a_consumer():
    return Consumer(
        Subscriptions("payment"),
        begin=None,
        config=OutboxConfig(schema="payment", source="payment"),
        kafka=KafkaConfig(bootstrap="-"),
    )


async def test_a_cancellation_that_escapes_from_the_client_does_not_end_it(made):
    stop = asyncio.Event()
    running = asyncio.create_task(a_consumer().run(stop))
    async with asyncio.timeout(5):
        while len(made) < 3:
            assert not running.done()
            await asyncio.sleep(0.005)
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_its_own_cancellation_ends_it(made):
    running = asyncio.create_task(a_consumer().run(asyncio.Event()))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
