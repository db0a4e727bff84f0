"""kill -9 at every await that matters: nothing committed is lost, nothing has its effect twice, order holds."""

import asyncio
from dataclasses import replace

import pytest

from sampan.commerce.v1 import order_pb2
from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.fault, pytest.mark.timeout(300)]

EVENTS, KEYS = 40, 5
ALL_IN_ORDER = {f"o{key}": list(range(key, EVENTS, KEYS)) for key in range(KEYS)}


async def _died(process):
    assert await asyncio.wait_for(process.wait(), 60) == -9


async def _fill(world):
    for number in range(EVENTS):
        await world.publish(order_pb2.OrderPlaced(order_id=f"o{number % KEYS}"), aggregate_version=number)


async def _drained(world):
    return await world.count("outbox") == 0


async def _writer(world, point):
    await world.make_effects()
    async with world.child("write", fault=f"{point}:7", events=20, keys=KEYS) as child:
        await _died(child)
    written, announced = await world.count("business"), await world.count("outbox")
    assert written == announced == (7 if point == "outbox.after_commit" else 6)


async def _relay(world, point):
    await _fill(world)
    async with world.child("relay", fault=f"{point}:2") as child:
        await _died(child)
    async with world.child("relay"):
        await eventually(lambda: _drained(world), timeout_s=60)
    assert await world.published() == ALL_IN_ORDER
    assert await world.count("event_log") == EVENTS


async def _consumer(world, point):
    if point != "consumer.after_commit":  # this one waits for the dead member's session to end, as an unnamed one does
        world.kafka = replace(world.kafka, instance="shop-0")
    await world.make_effects()
    await _fill(world)
    async with world.child("relay"):
        await eventually(lambda: _drained(world), timeout_s=60)
    async with world.child("consume", fault=f"{point}:2") as child:
        await _died(child)
    async with world.child("consume"):
        await eventually(lambda: _handled(world), timeout_s=60)
    assert await world.effects() == ALL_IN_ORDER


async def _handled(world):
    return await world.count("effect") >= EVENTS


async def _each(worlds, check, points):
    async def one(point):
        async with worlds() as world:
            await check(world, point)

    await asyncio.gather(*(one(point) for point in points))


async def test_writer_killed_around_its_commit(worlds):
    await _each(worlds, _writer, ["outbox.before_insert", "outbox.after_insert", "outbox.after_commit"])


async def test_relay_killed_around_produce_ack_and_delete(worlds):
    await _each(
        worlds,
        _relay,
        ["relay.after_read", "relay.before_produce", "relay.after_produce", "relay.after_ack", "relay.after_delete"],
    )


async def test_consumer_killed_around_its_commits(worlds):
    await _each(
        worlds,
        _consumer,
        [
            "consumer.after_claim",
            "consumer.before_commit",
            "consumer.after_commit",
            "consumer.before_offset_commit",
            "consumer.after_offset_commit",
        ],
    )
