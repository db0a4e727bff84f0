"""A producer that has gone silent or is broken is killed and rebuilt; nothing is lost and order holds."""

import asyncio
from dataclasses import replace

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber

from eventing import Subscriptions
from sampan.commerce.v1 import order_pb2
from testkit.wait import eventually

pytestmark = pytest.mark.component


async def _publish(world, numbers):
    for number in numbers:
        await world.publish(order_pb2.OrderPlaced(order_id=f"o{number % 3}"), aggregate_version=number)


async def _drained(world):
    return await world.count("outbox") == 0


IN_ORDER = {f"o{key}": list(range(key, 30, 3)) for key in range(3)}


async def test_a_producer_that_never_acknowledges_is_rebuilt(world, running):
    relay = world.relay(ack_timeout_s=1.0)
    async with running(relay):
        await _publish(world, range(10))
        await eventually(lambda: _drained(world))
        first = relay._publisher._producer
        first._sender.sender_task.cancel()
        await _publish(world, range(10, 30))
        await eventually(lambda: _drained(world), timeout_s=20)
        assert relay._publisher._producer is not first
    assert await world.published() == IN_ORDER


async def test_a_sequence_gap_rebuilds_the_producer_and_parks_nothing(world, running):
    relay = world.relay()
    async with running(relay):
        await _publish(world, range(10))
        await eventually(lambda: _drained(world))
        first = relay._publisher._producer
        for tp in list(first._txn_manager._sequence_numbers):
            first._txn_manager.increment_sequence_number(tp, 7)  # as a batch that failed for good leaves it
        await _publish(world, range(10, 30))
        await eventually(lambda: _drained(world), timeout_s=20)
        assert relay._publisher._producer is not first
    assert await world.count("outbox_parked_key") == 0
    assert await world.published() == IN_ORDER
    assert OutOfOrderSequenceNumber.errno == 45


async def test_a_relay_without_a_broker_says_so_and_keeps_the_records(world, running):
    world.kafka = replace(world.kafka, bootstrap="127.0.0.1:1")
    relay = world.relay(backoff_max_s=0.2)
    await _publish(world, range(3))
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    await eventually(lambda: "KafkaConnectionError" in (relay.problem() or ""))
    stop.set()
    await asyncio.wait_for(task, 10)
    assert await world.count("outbox") == 3


async def test_a_named_instance_gets_its_partitions_back_at_once(world, running):
    """A killed consumer that returns under its name does not wait for its own session to expire."""
    await world.make_effects()
    world.kafka = replace(world.kafka, instance="shop-0", session_timeout_s=60.0)
    await _publish(world, range(6))
    async with running(world.relay()):
        await eventually(lambda: _drained(world))
        async with world.child("consume", fault="consumer.after_commit:1") as child:
            assert await asyncio.wait_for(child.wait(), 30) == -9
        await _publish(world, range(6, 30))
        subscriptions = Subscriptions("commerce")

        @subscriptions.on(order_pb2.OrderPlaced)
        async def on_placed(message, tx):
            await tx.conn.execute(
                "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, $3)",
                message.id,
                message.key,
                message.aggregate_version,
            )

        async with running(world.consumer(subscriptions)):
            await eventually(lambda: _handled(world), timeout_s=30)
    assert await world.effects() == IN_ORDER


async def _handled(world):
    return await world.count("effect") == 30
