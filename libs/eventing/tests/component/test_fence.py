"""The fence: a batch whose partitions moved away while it was at work commits nothing."""

import pytest
from aiokafka import ConsumerRecord

from eventing import Subscriptions
from eventing.execution import Execution, FencedError
from eventing.received import receive
from sampan.commerce.v1 import order_pb2
from testkit.wait import eventually

pytestmark = pytest.mark.component


async def test_a_fenced_batch_commits_nothing_and_an_unfenced_one_does(world, running):
    await world.make_effects()
    subscriptions = Subscriptions("commerce")

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        await tx.conn.execute(
            "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, 1)", message.id, message.key
        )
        tx.outbox.add(order_pb2.OrderPaid(order_id=message.key))

    async with running(world.relay()):
        await world.publish(order_pb2.OrderPlaced(order_id="a"))
        [record] = await eventually(lambda: world.log_of("public.commerce.order.v1"))
    assert isinstance(record, ConsumerRecord)
    received = receive(record, "public.commerce.order.v1", subscriptions, 1_000_000)
    lost = [True]
    execution = Execution("commerce", begin=world.begin, config=world.config, fenced=lambda: lost[0])
    with pytest.raises(FencedError):
        await execution.run([received])
    assert (await world.count("effect"), await world.count("inbox"), await world.count("outbox")) == (0, 0, 0)
    lost[0] = False
    assert (await execution.run([received])).done == [received]
    assert (await world.count("effect"), await world.count("inbox"), await world.count("outbox")) == (1, 1, 1)
    assert (await execution.run([received])).skipped == [received]
    assert (await world.count("effect"), await world.count("outbox")) == (1, 1)
