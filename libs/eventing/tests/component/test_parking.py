"""A record the broker refuses parks its key; everything else is published, and a release keeps the order."""

import asyncio

import pytest
from aiokafka.admin import NewTopic

from eventing import Outbox
from eventing.parking import parked_keys, release
from sampan.commerce.v1 import order_pb2, shop_pb2
from testkit.topics import admin_client
from testkit.wait import eventually

pytestmark = pytest.mark.component


async def _incompressible(size):
    import os  # noqa: PLC0415

    return os.urandom(size).hex()[:size]


async def test_a_refused_record_parks_its_key_and_nothing_else(world, running):
    """A batch of the same partition is refused as a whole; only the one record at fault is parked."""
    too_large = order_pb2.OrderPlaced(order_id="poison", shop_name=await _incompressible(2_500_000))
    large = world.config.__class__(schema="commerce", source="commerce", record_bytes_max=10_000_000)
    for number in range(6):
        await world.publish(order_pb2.OrderPlaced(order_id=f"o{number % 3}"), aggregate_version=number)
    async with world.pool.acquire() as conn, conn.transaction():
        outbox = Outbox(conn, large)
        outbox.add(too_large, aggregate_version=6)
        outbox.add(order_pb2.OrderPlaced(order_id="poison"), aggregate_version=7)
        await outbox.flush()
    for number in range(8, 14):
        await world.publish(order_pb2.OrderPlaced(order_id=f"o{number % 3}"), aggregate_version=number)
    async with running(world.relay()):
        await eventually(lambda: _drained(world), timeout_s=20)
        published = await world.published()
        assert sorted(number for numbers in published.values() for number in numbers) == [*range(6), *range(8, 14)]
        assert all(numbers == sorted(numbers) for numbers in published.values())

        await world.publish(order_pb2.OrderPlaced(order_id="poison"), aggregate_version=20)
        await eventually(lambda: _drained(world))
        [parked] = await parked_keys(world.pool, "commerce")
        assert (parked.topic, parked.key, parked.records) == ("public.commerce.order.v1", "poison", 3)
        assert "MessageSizeTooLarge" in parked.error

        async with world.pool.acquire() as conn:
            back = await release(conn, "commerce", parked.topic, parked.key, discard=parked.event_id)
        assert back == 2
        await eventually(lambda: _drained(world))
    assert (await world.published())["poison"] == [7, 20]
    assert await parked_keys(world.pool, "commerce") == []


async def test_a_missing_topic_holds_up_nobody_else_and_is_named(world, running):
    missing = world.kafka.topic_prefix + "public.commerce.absent.v1"
    relay = world.relay()
    async with running(relay):
        await world.publish(shop_pb2.ShopOpened(shop_id="s"), topic="public.commerce.absent.v1", aggregate_version=1)
        await world.publish(order_pb2.OrderPlaced(order_id="o"), aggregate_version=1)
        await eventually(lambda: _pending(world, 1))
        await eventually(lambda: "absent" in (relay.problem() or ""))
        for _ in range(25):  # it does not look every second, and says so all the time
            await asyncio.sleep(0.1)
            assert "absent" in (relay.problem() or "")
        cluster = admin_client(world.kafka)
        await cluster.start()
        await cluster.create_topics([NewTopic(missing, 1, 1)])
        await eventually(lambda: _drained(world), timeout_s=20)
        assert relay.problem() is None
        await cluster.delete_topics([missing])
        await cluster.close()
    assert await world.published() == {"o": [1]}


async def _drained(world):
    return await world.count("outbox") == 0


async def _pending(world, count):
    return await world.count("outbox") == count


@pytest.mark.parametrize(
    "broken",
    ["'not json'", "'[[1, 2]]'", "NULL"],
)
async def test_a_row_no_record_can_be_made_of_parks_its_key_and_nothing_else(world, running, broken):
    """It stood first in its lane, and the relay began anew with it for ever."""
    await world.publish(order_pb2.OrderPlaced(order_id="poison"), aggregate_version=1)
    await world.pool.execute(f"UPDATE commerce.outbox SET headers = {broken}, type = NULL")
    for number in range(10):
        await world.publish(order_pb2.OrderPlaced(order_id=f"o{number}"), aggregate_version=number)
    await world.publish(order_pb2.OrderPlaced(order_id="poison"), aggregate_version=2)
    relay = world.relay()
    async with running(relay):
        await eventually(lambda: _drained(world), timeout_s=20)
        assert relay.problem() is None
    assert await world.published() == {f"o{number}": [number] for number in range(10)}
    [parked] = await parked_keys(world.pool, "commerce")
    assert (parked.key, parked.records) == ("poison", 2)
