"""A Kafka client that dies inside, or never answers, is noticed by when a step ends, and replaced (kind: it says it is
well and stands still)."""

import asyncio
import math
from dataclasses import replace

import aiokafka.conn
import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest
from prometheus_client import REGISTRY

from eventing import Subscriptions, clients
from eventing import consumer as consumer_module
from eventing import publisher as publisher_module
from eventing.assignment import Assignment
from kernel.tasks import stop_tasks, within
from sampan.commerce.v1 import order_pb2
from testkit.cancelling import cancelled_at_every_await
from testkit.sizes import SOAK
from testkit.wait import eventually

pytestmark = pytest.mark.component


def placed(subscriptions):
    seen = []

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        seen.append(message.key)

    return seen


@pytest.fixture
def made(monkeypatch):
    """Every Kafka client that is made from here on."""
    found = []
    for module, name in ((consumer_module, "make_consumer"), (publisher_module, "make_producer")):
        real = getattr(module, name)

        def make(*arguments, _real=real, **options):
            found.append(_real(*arguments, **options))
            return found[-1]

        monkeypatch.setattr(module, name, make)
    return found


def find(client, path):
    for name in path.split("."):
        client = getattr(client, name)
    return client


@pytest.mark.parametrize("path", clients.CONSUMER_TASKS)
async def test_a_consumer_whose_inner_task_died_is_replaced(world, running, made, path):
    subscriptions = Subscriptions("commerce")
    seen = placed(subscriptions)
    consumer = world.consumer(subscriptions, poll_timeout_s=0.5)
    async with running(world.relay(), consumer):
        await world.publish(order_pb2.OrderPlaced(order_id="before"))
        await eventually(lambda: seen == ["before"], timeout_s=30)
        [dead] = [client for client in made if isinstance(client, clients.AIOKafkaConsumer)]
        find(dead, path).cancel()
        await world.publish(order_pb2.OrderPlaced(order_id="after"))
        await eventually(lambda: "after" in seen, timeout_s=30)
        await eventually(lambda: consumer.problem() is None)
    assert len([client for client in made if isinstance(client, clients.AIOKafkaConsumer)]) >= 2


async def test_negative_control_nothing_else_tells_of_a_dead_metadata_task(world, running, made, monkeypatch):
    """What was there before: polls end in time, the consumer calls itself well, and a commit that has to look for the
    group's coordinator never ends."""
    monkeypatch.setattr("eventing.watchdog.dead_task", lambda _: None)
    subscriptions = Subscriptions("commerce")
    seen = placed(subscriptions)
    consumer = world.consumer(subscriptions, poll_timeout_s=0.5)
    async with running(world.relay(), consumer):
        await world.publish(order_pb2.OrderPlaced(order_id="before"))
        await eventually(lambda: seen == ["before"], timeout_s=30)
        [dead] = [client for client in made if isinstance(client, clients.AIOKafkaConsumer)]
        dead._client._sync_task.cancel()
        await asyncio.sleep(2)
        assert clients.dead_task(dead) is not None
        assert consumer.problem() is None
        assert len(made) == 2

        async def what_a_commit_does_after_an_error():
            await dead._client.force_metadata_update()

        with pytest.raises(TimeoutError):
            await within(2, what_a_commit_does_after_an_error())


@pytest.mark.parametrize("path", clients.PRODUCER_TASKS)
async def test_a_producer_whose_inner_task_died_is_replaced(world, running, made, path):
    async with running(world.relay()):
        await world.publish(order_pb2.OrderPlaced(order_id="before"))
        await eventually(lambda: world.count("event_log"), timeout_s=30)
        [dead] = made
        find(dead, path).cancel()
        await asyncio.sleep(0.05)
        await world.publish(order_pb2.OrderPlaced(order_id="after"))
        await eventually(lambda: _two(world), timeout_s=10)
    assert len(made) == 2


async def _two(world):
    return await world.count("event_log") == 2


async def test_a_commit_that_never_ends_costs_the_client(world, running, made, monkeypatch):
    monkeypatch.setattr("eventing.assignment.COMMIT_S", 0.3)
    subscriptions = Subscriptions("commerce")
    seen = placed(subscriptions)
    consumer = world.consumer(subscriptions, poll_timeout_s=0.5, commit_interval_s=0.1)
    async with running(world.relay(), consumer):
        await eventually(lambda: made and made[-1].assignment() if len(made) > 1 else None, timeout_s=30)
        [first] = [client for client in made if isinstance(client, clients.AIOKafkaConsumer)]

        async def for_ever(_):
            await asyncio.Event().wait()

        monkeypatch.setattr(first, "commit", for_ever)
        await world.publish(order_pb2.OrderPlaced(order_id="o1"))
        await eventually(lambda: len([c for c in made if isinstance(c, clients.AIOKafkaConsumer)]) == 2, timeout_s=30)
        await eventually(lambda: _committed(world), timeout_s=30)
    assert seen == ["o1"], "read again, and skipped by the inbox"


async def _committed(world):
    return await world.group_offsets("public.commerce.order.v1") == 1


async def test_negative_control_such_a_commit_was_waited_for_for_ever(world):
    class Client:
        async def commit(self, _):
            await asyncio.Event().wait()

    assignment = Assignment(Client(), None, gone=lambda _: None)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(assignment._consumer.commit({}), 0.5)


async def test_a_handler_that_hangs_is_cut_and_readiness_says_so(world, running, made):
    subscriptions, hangs, seen = Subscriptions("commerce"), asyncio.Event(), []

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        if seen and not hangs.is_set():
            hangs.set()
            await asyncio.Event().wait()
        seen.append(message.key)

    consumer = world.consumer(subscriptions, step_s=4.0, poll_timeout_s=0.3)
    consumer.steps._told_s = 2.0
    async with running(world.relay(), consumer):
        await world.publish(order_pb2.OrderPlaced(order_id="o0"))
        await eventually(lambda: seen and consumer.problem() is None, timeout_s=30)
        await world.publish(order_pb2.OrderPlaced(order_id="o1"))
        await asyncio.wait_for(hangs.wait(), 30)
        await eventually(lambda: "no step has ended" in (consumer.problem() or ""), timeout_s=5)
        assert all(math.isnan(lag) for lag in _lags()), "a lag of nought would be a lie"
        await eventually(lambda: seen == ["o0", "o1"], timeout_s=30)
        await eventually(lambda: consumer.problem() is None, timeout_s=10)
    assert len([client for client in made if isinstance(client, clients.AIOKafkaConsumer)]) == 2


def _lags():
    return [
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "eventing_consumer_lag_records" and sample.labels["consumer"] == "commerce"
    ]


class ResetTransport:
    """What uvloop's transport does once its socket was reset and the loop has not said so yet."""

    def write(self, _):
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")


@pytest.mark.parametrize(
    ("kind", "error"),
    [(clients.Connection, KafkaConnectionError), (clients.Connection.__base__, RuntimeError)],
    ids=["guarded", "negative control"],
)
async def test_a_reset_under_uvloop_is_a_lost_connection(kind, error):
    connection = kind("127.0.0.1", 1)
    connection._writer = ResetTransport()
    connection._read_task = connection._idle_handle = connection._reader = None
    connection.close = lambda **_: None
    with pytest.raises(error):
        connection.send(ApiVersionRequest())
    assert aiokafka.conn.AIOKafkaConnection is clients.Connection, "what clients make"


NTHS = range(1, 400) if SOAK else (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)


async def test_a_consumer_ends_wherever_it_is_cancelled(world):
    subscriptions = Subscriptions("commerce")
    placed(subscriptions)
    await world.publish(*[order_pb2.OrderPlaced(order_id=f"o{n}") for n in range(20)])
    stop = asyncio.Event()
    relay = asyncio.create_task(world.relay().run(stop))
    await eventually(lambda: world.count("event_log"), timeout_s=30)

    def run():
        return world.consumer(subscriptions, poll_timeout_s=0.2, commit_interval_s=0.1).run(asyncio.Event())

    assert await cancelled_at_every_await(run, NTHS, within_s=12) >= len(NTHS) - 2
    stop.set()
    await stop_tasks(relay)


async def test_a_relay_ends_wherever_it_is_cancelled(world):
    await world.publish(*[order_pb2.OrderPlaced(order_id=f"o{n}") for n in range(20)])
    assert (
        await cancelled_at_every_await(lambda: world.relay(poll_idle_s=0.05).run(asyncio.Event()), NTHS, within_s=12)
        >= len(NTHS) - 2
    )


async def test_a_new_connection_is_asked_for(world):
    await clients.check_fresh(world.kafka)
    with pytest.raises(ConnectionError):
        await clients.check_fresh(replace(world.kafka, password="another"))
    with pytest.raises(ConnectionError):
        await clients.check_fresh(replace(world.kafka, bootstrap="127.0.0.1:1"))


async def test_a_topic_that_does_not_exist_is_named_and_others_are_not(world, running, monkeypatch):
    monkeypatch.setattr(consumer_module, "START_S", 1.0)
    subscriptions = Subscriptions("commerce")
    placed(subscriptions)
    subscriptions.on(order_pb2.OrderPaid, topic="public.commerce.absent.v1")(lambda *_: None)
    consumer = world.consumer(subscriptions)
    told = (
        f"MissingTopicError: no such topic, or no right to read it: {world.kafka.topic_prefix}public.commerce.absent.v1"
    )
    async with running(consumer):
        await eventually(lambda: consumer.problem() == told, timeout_s=20)
