"""Dead letters: the bad record is kept whole, its key waits, the rest goes on, and a redrive keeps the order."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from eventing import Subscriptions
from eventing.dead_letters import discard, list_dead_letters
from eventing.redrive import redrive
from kernel.errors import DomainError, Kind
from kernel.ids import derived_id, uuid7
from sampan.commerce.v1 import commands_pb2, order_pb2
from sampan.orchestrator.v1 import reply_pb2
from testkit.wait import eventually

pytestmark = pytest.mark.component
TOPIC = "public.commerce.order.v1"


class RefusedError(DomainError):
    code, kind = "test.order.refused", Kind.CONFLICT


class Handlers:
    """Handlers that fail on the numbers they are told to, and note the effects that committed."""

    def __init__(self, fails=(), error=RefusedError, consumer="commerce"):
        self.fails, self.error = set(fails), error
        self.subscriptions = Subscriptions(consumer)
        self.subscriptions.on(order_pb2.OrderPlaced)(self.on_placed)

    async def on_placed(self, message, tx):
        await tx.conn.execute(
            "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, $3)",
            message.id,
            message.key,
            message.aggregate_version,
        )
        if (message.key, message.aggregate_version) in self.fails:
            raise self.error("told to")


async def _publish(world, *made):
    for key, number in made:
        await world.publish(order_pb2.OrderPlaced(order_id=key), aggregate_version=number)


async def _effects(world, wanted):
    return await world.effects() == wanted


async def _letters(world, count):
    return await world.count("dead_letter", "status = 'waiting'") == count


async def test_a_poison_record_stops_its_key_only_and_is_redriven_in_order(world, running):
    await world.make_effects()
    handlers = Handlers(fails={("a", 2)})
    await _publish(world, ("a", 1), ("a", 2), ("b", 1), ("a", 3), ("b", 2))
    async with running(world.relay(), world.consumer(handlers.subscriptions)):
        await eventually(lambda: _letters(world, 2), timeout_s=30)
        await _publish(world, ("a", 4), ("b", 3))
        await eventually(lambda: _effects(world, {"a": [1], "b": [1, 2, 3]}))
        await eventually(lambda: _letters(world, 3))

        still = await redrive(handlers.subscriptions, begin=world.begin, config=world.config)
        assert (still.redriven, len(still.failed)) == (0, 1)

        handlers.fails.clear()
        report = await redrive(handlers.subscriptions, begin=world.begin, config=world.config)
        assert (report.redriven, report.failed) == (3, [])
        await _publish(world, ("a", 5))
        await eventually(lambda: _effects(world, {"a": [1, 2, 3, 4, 5], "b": [1, 2, 3]}))
    assert await world.count("blocked_key") == 0


async def test_the_service_s_dead_letter_topic_has_the_original_bytes_headers_reason_key_and_consumer(world, running):
    await world.make_effects()
    handlers = Handlers(fails={("a", 1)}, consumer="commerce.second")
    await _publish(world, ("a", 1))
    async with running(world.relay(), world.consumer(handlers.subscriptions)):
        [letter] = await eventually(lambda: world.log_of("private.commerce.dlq.v1"), timeout_s=30)
    [original] = await world.log_of(TOPIC)
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (original.key, original.value)
    assert list(letter.headers)[: len(original.headers)] == list(original.headers)
    assert headers["dlq_reason"] == b"test.order.refused"
    assert (headers["dlq_topic"], headers["dlq_key"]) == (TOPIC.encode(), b"a")
    assert headers["dlq_consumer"] == b"commerce.second"
    assert headers["dlq_offset"] == str(original.offset).encode()


async def test_records_that_cannot_be_read_are_put_aside_and_the_partition_moves_on(world, running):
    await world.make_effects()
    handlers = Handlers()
    await _publish(world, ("good", 1))
    async with running(world.relay()):
        [sample] = await eventually(lambda: world.log_of(TOPIC))
    headers = list(sample.headers)
    without_id = [(name, value) for name, value in headers if name != "ce_id"]
    producer = AIOKafkaProducer(**world.kafka.connection(), max_request_size=2_000_000)
    await producer.start()

    async def send(key, value, headers):
        await producer.send_and_wait(world.kafka.topic_prefix + TOPIC, value, key=key, headers=headers, partition=0)

    def fresh(headers):
        return [(name, str(uuid7()).encode() if name == "ce_id" else value) for name, value in headers]

    await send(b"bytes", b"\x00\xff\xfe", [])  # neither headers nor a key that was meant
    await send(b"\xff\x00", b"x", [("ce_type", b"sampan.commerce.v1.OrderPlaced")])
    await send(b"no-id", sample.value, without_id)
    await send(b"truncated", sample.value[:-2], fresh(headers))
    await send(b"oversized", sample.value + b"\x82\x01" + b"x", fresh(headers))  # an unknown field cut short
    await send(b"too-long", b"\x0a" + b"\x80\x80\x28" + b"x" * 655_360, fresh(headers))
    await send(b"other", b"\xff", [*fresh(headers)[:2], ("ce_type", b"sampan.commerce.v1.OrderPaid")])  # not asked for
    await send(None, sample.value, fresh(headers))
    await send(b"fine", sample.value, fresh(headers))
    await producer.stop()
    async with running(world.relay(), world.consumer(handlers.subscriptions, record_bytes_max=500_000)):
        await eventually(lambda: _letters(world, 6), timeout_s=30)
        await eventually(lambda: _effects(world, {"good": [1], "": [1], "fine": [1]}))
        dead = await eventually(lambda: _dlq(world, 6))
    assert {record.value for record in dead} >= {b"\x00\xff\xfe", sample.value[:-2]}
    assert await world.count("blocked_key") == 5  # all but the one without a known type


async def _dlq(world, count):
    records = await world.log_of("private.commerce.dlq.v1")
    return records if len(records) == count else None


async def test_a_discarded_letter_lets_the_ones_behind_it_pass(world, running):
    await world.make_effects()
    handlers = Handlers(fails={("a", 1)})
    await _publish(world, ("a", 1), ("a", 2))
    async with running(world.relay(), world.consumer(handlers.subscriptions)):
        await eventually(lambda: _letters(world, 2), timeout_s=30)
    letters = await list_dead_letters(world.pool, "commerce")
    assert [letter.reason for letter in letters] == ["test.order.refused", "behind"]
    assert await discard(world.pool, "commerce", letters[0].id)
    assert not await discard(world.pool, "commerce", letters[0].id)
    report = await redrive(handlers.subscriptions, begin=world.begin, config=world.config, letter_id=letters[1].id)
    assert (report.redriven, report.failed) == (1, [])
    assert await world.effects() == {"a": [2]}
    assert await world.count("blocked_key") == 0


async def test_a_defect_is_tried_again_before_it_is_put_aside(world, running):
    await world.make_effects()
    tries = []

    class Handlers2(Handlers):
        async def on_placed(self, message, tx):
            tries.append(message.aggregate_version)
            await super().on_placed(message, tx)

    handlers = Handlers2(fails={("a", 1)}, error=KeyError)
    await _publish(world, ("a", 1))
    async with running(world.relay(), world.consumer(handlers.subscriptions)):
        await eventually(lambda: _letters(world, 1), timeout_s=30)
    assert len(tries) == 3
    assert await world.effects() == {}


async def test_a_dead_command_is_not_answered_until_its_redrive(world, running):
    subscriptions = Subscriptions("commerce")
    broken = [True]

    @subscriptions.on_command(commands_pb2.ReserveStock)
    async def on_reserve(message, tx):
        if broken[0]:
            raise KeyError("a defect")

    saga = uuid7()
    command = {"event_id": derived_id(saga, "reserve"), "headers": {"reply_key": str(saga)}}
    async with running(world.relay(), world.consumer(subscriptions)):
        await world.publish(commands_pb2.ReserveStock(checkout_id="c"), **command)
        await eventually(lambda: _letters(world, 1), timeout_s=30)
        await world.publish(commands_pb2.ReserveStock(checkout_id="c"), **command)  # the saga asks again
        await eventually(lambda: _committed(world, "private.commerce.commands.v1", 2))
        assert await world.log_of("private.commerce.replies.v1") == []
        broken[0] = False
        await redrive(subscriptions, begin=world.begin, config=world.config)
        [answer] = await eventually(lambda: world.log_of("private.commerce.replies.v1"))
    reply = reply_pb2.CommandReply.FromString(answer.value)
    assert (reply.outcome, reply.command_id) == (reply_pb2.OUTCOME_SUCCEEDED, str(command["event_id"]))


async def _committed(world, topic, count):
    """The group has committed ``count`` offsets of the topic."""
    return await world.group_offsets(topic) == count


async def test_a_redrive_beside_a_busy_consumer_loses_and_reorders_nothing(world, running):
    await world.make_effects()
    handlers = Handlers(fails={("a", 0)})
    async with running(world.relay(pace_s=0.0), world.consumer(handlers.subscriptions)):
        await _publish(world, ("a", 0))
        await eventually(lambda: _letters(world, 1), timeout_s=30)
        handlers.fails.clear()

        async def feed():
            for number in range(1, 120):
                await _publish(world, ("a", number))

        async def mend():
            while await world.count("effect") < 120:
                await redrive(handlers.subscriptions, begin=world.begin, config=world.config)
                await asyncio.sleep(0.01)

        await asyncio.gather(feed(), asyncio.wait_for(mend(), 40))
    assert await world.effects() == {"a": list(range(120))}
