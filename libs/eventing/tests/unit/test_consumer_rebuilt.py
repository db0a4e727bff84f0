"""A consumer takes a new Kafka client whatever became of the old one."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError

from eventing import Consumer, KafkaConfig, OutboxConfig, Subscriptions, clients, publisher
from eventing import consumer as consumer_module
from kernel.backoff import BackoffPolicy


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
    monkeypatch.setattr(consumer_module, "REBUILD", BackoffPolicy.constant(0.01))
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


WANTED = frozenset({"public.auth.user.v1", "private.payment.commands.v1"})


class Asked:
    """A client that did not start, with what the brokers say about topics."""

    def __init__(self, answer):
        self._answer = answer
        self._client = self

    async def fetch_all_metadata(self):
        if isinstance(self._answer, Exception):
            raise self._answer
        if self._answer is None:
            await asyncio.sleep(60)
        return SimpleNamespace(
            topics=lambda: self._answer, partitions_for_topic=lambda name: {0} if name in self._answer else None
        )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "KafkaConnectionError: no broker answers"),
        (
            KafkaError("Unable to get cluster metadata over all known brokers"),
            "KafkaConnectionError: no broker answers",
        ),
        (set(), f"MissingTopicError: no such topic, or no right to read it: {', '.join(sorted(WANTED))}"),
        (
            {"public.auth.user.v1"},
            "MissingTopicError: no such topic, or no right to read it: private.payment.commands.v1",
        ),
        ({*WANTED, "more"}, "DeadClientError: the consumer does not start, though its topics are there"),
    ],
    ids=["silent", "away", "none-there", "one-missing", "all-there"],
)
async def test_a_topic_is_missing_only_where_a_broker_says_so(monkeypatch, answer, told):
    monkeypatch.setattr(clients, "_TOPICS_S", 0.1)
    error = await clients.why_not_started(Asked(answer), WANTED)
    assert f"{type(error).__name__}: {error.args[0]}" == told


class Producer:
    """A producer whose look-up of a topic takes too long."""

    def __init__(self, answer):
        self.client = Asked(answer)

    async def partitions_for(self, _):
        await asyncio.sleep(60)


async def test_a_relay_takes_silence_for_no_missing_topic(monkeypatch):
    monkeypatch.setattr(clients, "_TOPICS_S", 0.1)
    monkeypatch.setattr(publisher, "TOPIC_LOOKUP_S", 0.05)
    with pytest.raises(KafkaConnectionError, match="no broker answers"):
        await publisher._look_up(Producer(None), "public.auth.user.v1")
    assert await publisher._look_up(Producer(set()), "public.auth.user.v1") is None
    assert await publisher._look_up(Producer({"public.auth.user.v1"}), "public.auth.user.v1") == {0}
