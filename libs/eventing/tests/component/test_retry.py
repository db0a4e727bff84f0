"""Transient errors: the record waits in place with its key, other keys go on, offsets stay contiguous."""

import asyncio

import asyncpg
import pytest

from eventing import Subscriptions
from kernel.errors import DomainError, Kind
from sampan.commerce.v1 import order_pb2
from testkit.wait import eventually

pytestmark = pytest.mark.component
TOPIC = "public.commerce.order.v1"


class BusyError(DomainError):
    code, kind = "test.order.busy", Kind.UNAVAILABLE


@pytest.mark.parametrize(
    "error",
    [BusyError("later"), asyncpg.DeadlockDetectedError("x"), ConnectionResetError("x")],
    ids=lambda e: type(e).__name__,
)
async def test_a_key_waits_for_its_turn_while_the_others_go_on(world, running, error):
    await world.make_effects()
    subscriptions, failing = Subscriptions("commerce"), [True]

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        await tx.conn.execute(
            "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, $3)",
            message.id,
            message.key,
            message.aggregate_version,
        )
        if failing[0] and (message.key, message.aggregate_version) == ("a", 2):
            raise error

    consumer = world.consumer(subscriptions, commit_interval_s=0.0)
    async with running(world.relay(), consumer):
        for key, number in (("a", 1), ("a", 2), ("a", 3), *((f"k{n}", 1) for n in range(20))):
            await world.publish(order_pb2.OrderPlaced(order_id=key), aggregate_version=number)
        going_on = {"a": [1]} | {f"k{n}": [1] for n in range(20)}
        await eventually(lambda: _effects(world, going_on), timeout_s=30)
        assert await world.count("dead_letter") == 0
        assert await world.group_offsets(TOPIC) < 23  # nothing beyond the waiting record is committed
        failing[0] = False
        await eventually(lambda: _effects(world, going_on | {"a": [1, 2, 3]}), timeout_s=30)
        await eventually(lambda: _all_committed(world, 23))


async def _effects(world, wanted):
    return await world.effects() == wanted


async def _all_committed(world, count):
    return await world.group_offsets(TOPIC) == count


async def test_redeliveries_and_duplicates_have_one_effect(world, running):
    """The same events twice on the log, and a consumer group that starts over."""
    await world.make_effects()
    subscriptions = Subscriptions("commerce")

    @subscriptions.on_batch(order_pb2.OrderPlaced)
    async def on_placed(messages, tx):
        await tx.conn.executemany(
            "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, $3)",
            [(message.id, message.key, message.aggregate_version) for message in messages],
        )

    for number in range(10):
        body = order_pb2.OrderPlaced(order_id=f"o{number % 3}")
        [event_id] = await world.publish(body, aggregate_version=number)
        await world.publish(body, aggregate_version=number, event_id=event_id)
    async with running(world.relay(), world.consumer(subscriptions)):
        await eventually(lambda: _all_committed(world, 20), timeout_s=30)
    from eventing.replay import rewind_group  # noqa: PLC0415

    await rewind_group(world.kafka, "commerce", TOPIC, await world.pool.fetchval("SELECT now() - interval '1 day'"))
    assert await world.group_offsets(TOPIC) == 0
    async with running(world.consumer(subscriptions)):
        await eventually(lambda: _all_committed(world, 20), timeout_s=30)
    effects = await world.effects()
    assert effects == {"o0": [0, 3, 6, 9], "o1": [1, 4, 7], "o2": [2, 5, 8]}


async def test_a_stale_version_is_rejected_where_asked_for(world, running):
    seen = []
    subscriptions = Subscriptions("commerce")

    @subscriptions.on(order_pb2.OrderPlaced, versioned=True)
    async def on_placed(message, tx):
        seen.append((message.key, message.aggregate_version))

    async with running(world.relay(), world.consumer(subscriptions)):
        for version in (1, 3, 2, 3, 4):
            await world.publish(order_pb2.OrderPlaced(order_id="a"), aggregate_version=version)
        await eventually(lambda: _all_committed(world, 5), timeout_s=30)
        await world.publish(order_pb2.OrderPlaced(order_id="a"), aggregate_version=3)
        await eventually(lambda: _all_committed(world, 6), timeout_s=30)
    assert seen == [("a", 1), ("a", 3), ("a", 3), ("a", 4)]


async def test_partitions_move_between_consumers_without_a_double_effect(world, running):
    await world.make_effects()

    def handlers():
        subscriptions = Subscriptions("commerce")

        @subscriptions.on(order_pb2.OrderPlaced)
        async def on_placed(message, tx):
            await asyncio.sleep(0.002)
            await tx.conn.execute(
                "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, $3)",
                message.id,
                message.key,
                message.aggregate_version,
            )

        return subscriptions

    async def feed():
        for number in range(300):
            await world.publish(order_pb2.OrderPlaced(order_id=f"o{number % 7}"), aggregate_version=number)

    tuning = {"poll_records": 20, "commit_interval_s": 0.05}
    async with running(world.relay(), world.consumer(handlers(), **tuning)):
        feeding = asyncio.create_task(feed())
        await eventually(lambda: world.count("effect"), timeout_s=30)
        async with running(world.consumer(handlers(), **tuning)):
            await eventually(lambda: _more_than(world, 150), timeout_s=30)
        await feeding
        await eventually(lambda: _more_than(world, 299), timeout_s=40)
    assert await world.effects() == {f"o{key}": list(range(key, 300, 7)) for key in range(7)}


async def _more_than(world, count):
    return await world.count("effect") > count


async def test_a_silent_client_is_rebuilt(world, running):
    """The client stops fetching for good, as after a lost rejoin; the watchdog notices and starts a new one."""
    await world.make_effects()
    subscriptions = Subscriptions("commerce")

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        await tx.conn.execute(
            "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, 1)", message.id, message.key
        )

    from eventing import consumer as module  # noqa: PLC0415

    silent = asyncio.Event()

    async def silence(partitions, wait_s=0, max_records=None):
        silent.set()
        await asyncio.sleep(wait_s)
        return {}

    clients = []
    make = module.make_consumer

    def made(*arguments, **named):
        clients.append(make(*arguments, **named))
        return clients[-1]

    module.make_consumer = made
    try:
        async with running(world.relay(), world.consumer(subscriptions, quiet_s=2.0, poll_timeout_s=0.2)):
            await world.publish(order_pb2.OrderPlaced(order_id="a"))
            await eventually(lambda: world.count("effect"), timeout_s=30)
            clients[0]._fetcher.fetched_records = silence
            await silent.wait()  # the poll under way may still deliver
            await world.publish(order_pb2.OrderPlaced(order_id="b"))
            await eventually(lambda: _more_than(world, 1), timeout_s=30)
    finally:
        module.make_consumer = make
    assert len(clients) == 2


async def test_a_missing_topic_is_named_and_used_once_it_exists(world, running, monkeypatch):
    from aiokafka.admin import NewTopic  # noqa: PLC0415

    from eventing import consumer as module  # noqa: PLC0415
    from testkit.topics import admin_client  # noqa: PLC0415

    monkeypatch.setattr(module, "START_S", 1.0)
    subscriptions, seen = Subscriptions("commerce"), []

    @subscriptions.on(order_pb2.OrderPlaced, topic="public.commerce.absent.v1")
    async def on_placed(message, tx):
        seen.append(message.key)

    consumer = world.consumer(subscriptions)
    async with running(world.relay(), consumer):
        await eventually(lambda: "public.commerce.absent.v1" in (consumer.problem() or ""))
        cluster = admin_client(world.kafka)
        await cluster.start()
        name = world.kafka.topic_prefix + "public.commerce.absent.v1"
        await cluster.create_topics([NewTopic(name, 1, 1)])
        await world.publish(order_pb2.OrderPlaced(order_id="o1"), topic="public.commerce.absent.v1")
        await eventually(lambda: seen == ["o1"], timeout_s=30)
        await eventually(lambda: consumer.problem() is None, what="a step has ended")
        await cluster.delete_topics([name])
        await cluster.close()


async def test_a_database_that_goes_away_and_comes_back_costs_nothing(world, running):
    """Every connection of this database is killed again and again while records flow."""
    await world.make_effects()
    subscriptions = Subscriptions("commerce")

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        await tx.conn.execute(
            "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, $3)",
            message.id,
            message.key,
            message.aggregate_version,
        )

    admin = await asyncpg.connect(world.dsn, server_settings={"application_name": "killer"})
    async with running(world.relay(), world.consumer(subscriptions, poll_records=5)):
        for number in range(60):
            try:
                await world.publish(order_pb2.OrderPlaced(order_id=f"o{number % 4}"), aggregate_version=number)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                await admin.execute("INSERT INTO commerce.business VALUES ($1)", number)  # perhaps not committed
            if number % 12 == 11:
                await admin.execute(
                    """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE datname = current_database() AND application_name <> 'killer'"""
                )
        committed = await eventually(lambda: _settled(world), timeout_s=40)
    effects = await world.effects()
    assert sum(len(numbers) for numbers in effects.values()) == committed
    assert all(numbers == sorted(set(numbers)) for numbers in effects.values())
    unsure = await admin.fetchval("SELECT count(*) FROM commerce.business")
    assert 60 - unsure <= committed <= 60
    await admin.close()


async def _settled(world):
    """Every committed record was published and has its effect; returns how many."""
    waiting, published, effects = await world.pool.fetchrow(
        """SELECT (SELECT count(*) FROM commerce.outbox), (SELECT count(*) FROM commerce.event_log),
                  (SELECT count(*) FROM commerce.effect)"""
    )
    return published if waiting == 0 and published == effects else None


async def test_one_locked_row_keeps_no_other_of_its_batch(world, running):
    """A batch handler meets a lock for as long as it is held: the others of its batch commit meanwhile."""
    await world.make_effects()
    subscriptions, locked = Subscriptions("commerce"), [True]

    @subscriptions.on_batch(order_pb2.OrderPlaced)
    async def on_placed(messages, tx):
        for message in messages:
            await tx.conn.execute(
                "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, $3)", message.id, message.key, 1
            )
        if locked[0] and any(message.key == "locked" for message in messages):
            raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout")

    for key in ("locked", *(f"k{n}" for n in range(30))):
        await world.publish(order_pb2.OrderPlaced(order_id=key))
    async with running(world.relay(), world.consumer(subscriptions)):
        await eventually(lambda: _effects(world, {f"k{n}": [1] for n in range(30)}), timeout_s=30)
        assert await world.count("dead_letter") == 0
        locked[0] = False
        await eventually(lambda: _effects(world, {"locked": [1]} | {f"k{n}": [1] for n in range(30)}), timeout_s=30)


async def test_an_error_whose_text_cannot_be_stored_is_a_dead_letter_all_the_same(world, running):
    subscriptions = Subscriptions("commerce")

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        raise ValueError("half a pair: \ud83d, and a \x00")

    async with running(world.relay(), world.consumer(subscriptions)):
        await world.publish(order_pb2.OrderPlaced(order_id="o1"))
        await eventually(lambda: world.count("dead_letter"), timeout_s=30)
    assert await world.pool.fetchval("SELECT error FROM commerce.dead_letter") == r"half a pair: \ud83d, and a "
