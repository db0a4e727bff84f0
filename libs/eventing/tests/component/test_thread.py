"""The whole way: transaction → outbox → relay → Kafka → consumer → effect, once."""

import asyncio

import pytest

from eventing import Subscriptions
from kernel.correlation import causation_id, correlation_id, flow
from kernel.errors import DomainError, Kind
from kernel.ids import derived_id, uuid7
from sampan.commerce.v1 import commands_pb2, order_pb2
from sampan.orchestrator.v1 import reply_pb2
from testkit.wait import eventually

pytestmark = pytest.mark.component


async def test_an_event_has_its_effect_once_and_carries_its_flow(world, running):
    subscriptions = Subscriptions("commerce")
    seen = []

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        seen.append((message, correlation_id(), causation_id()))

    with flow("flow-1", "request-1"):
        [event_id] = await world.publish(order_pb2.OrderPlaced(order_id="o1"), aggregate_version=7)
    async with running(world.relay(), world.consumer(subscriptions)):
        await eventually(lambda: seen, timeout_s=20)
        await eventually(lambda: _empty(world))
    [(message, correlation, causation)] = seen
    assert (message.id, message.key, message.aggregate_version) == (event_id, "o1", 7)
    assert (message.correlation_id, message.causation_id) == ("flow-1", "request-1")
    assert (correlation, causation) == ("flow-1", str(event_id))
    assert await world.count("inbox") == 1
    assert await world.count("event_log") == 1
    [record] = await world.log_of("public.commerce.order.v1")
    headers = dict(record.headers)
    assert headers["ce_type"] == b"sampan.commerce.v1.OrderPlaced"
    assert headers["ce_source"] == b"commerce"


class SoldOutError(DomainError):
    code, kind = "commerce.stock.sold_out", Kind.CONFLICT


async def test_commands_are_answered_and_a_repeated_one_gets_the_same_answer(world, running):
    subscriptions = Subscriptions("commerce")
    calls = []

    @subscriptions.on_command(commands_pb2.ReserveStock)
    async def on_reserve(message, tx):
        calls.append(message.id)
        await tx.conn.execute("CREATE TABLE IF NOT EXISTS commerce.effect (id text)")
        await tx.conn.execute("INSERT INTO commerce.effect VALUES ($1)", message.body.checkout_id)
        if message.body.checkout_id == "c-full":
            raise SoldOutError("nothing left")

    saga = uuid7()
    ids = {name: derived_id(saga, name) for name in ("c-1", "c-full", "c-2")}
    for _ in range(2):
        for name, command_id in ids.items():
            await world.publish(
                commands_pb2.ReserveStock(checkout_id=name),
                event_id=command_id,
                key="same-checkout",
                headers={"reply_key": str(saga)},
            )
    async with running(world.relay(), world.consumer(subscriptions)):
        replies = await eventually(lambda: _replies(world, 6), timeout_s=30)
    by_command = {}
    for record in replies:
        body = reply_pb2.CommandReply.FromString(record.value)
        headers = dict(record.headers)
        assert record.key.decode() == str(saga)
        assert headers["causation_id"].decode() == body.command_id
        by_command.setdefault(body.command_id, []).append((headers["ce_id"], body.outcome, body.code, body.detail))
    assert {len(answers) for answers in by_command.values()} == {2}
    assert all(first == second for first, second in by_command.values())
    assert by_command[str(ids["c-full"])][0][1:] == (
        reply_pb2.OUTCOME_REJECTED,
        "commerce.stock.sold_out",
        "nothing left",
    )
    assert by_command[str(ids["c-1"])][0][1] == reply_pb2.OUTCOME_SUCCEEDED
    assert by_command[str(ids["c-1"])][0][0].decode() == str(derived_id(ids["c-1"], "reply"))
    rows = await world.pool.fetch("SELECT id FROM commerce.effect ORDER BY id")
    assert [row["id"] for row in rows] == ["c-1", "c-2"]


async def _empty(world):
    return await world.count("outbox") == 0


async def _replies(world, wanted):
    await asyncio.sleep(0.2)
    records = await world.log_of("private.commerce.replies.v1")
    return records if len(records) >= wanted else None
