"""Connections are reset again and again under every long-running part of eventing, on the loop that services run on.

``SAMPAN_CI_SIZE=soak`` makes it thousands of resets. Whatever they hit, nothing is lost or handled twice, and all parts say
that they work again.
"""

import asyncio
import random
from urllib.parse import urlsplit

import aiokafka.client
import asyncpg
import pytest
import uvloop

from eventing import Consumer, OutboxConfig, Relay, Subscriptions, Wakeups
from eventing.housekeeping import Housekeeping
from kernel.tasks import within
from sampan.commerce.v1 import order_pb2
from testkit.resets import ResettingProxy
from testkit.sizes import SOAK
from testkit.transaction import begin_on
from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.timeout(1800 if SOAK else 120)]

RESETS = 3_000 if SOAK else 250
GROUPS = 3


@pytest.fixture
def through(monkeypatch, kafka_admin, postgres_admin_dsn):
    """Proxies before Kafka and Postgres. Brokers tell clients their own address, so that is turned to the proxy."""
    host, port = kafka_admin.bootstrap.split(",")[0].rsplit(":", 1)
    database = urlsplit(postgres_admin_dsn)
    with ResettingProxy(host, int(port)) as kafka, ResettingProxy(database.hostname, database.port) as postgres:
        real = aiokafka.client.create_conn

        async def create_conn(to_host, to_port, **options):
            return await real(to_host, kafka.port if to_port == int(port) else to_port, **options)

        yield kafka, postgres, lambda: monkeypatch.setattr(aiokafka.client, "create_conn", create_conn)


def test_nothing_stands_still_after_resets(through, worlds, running):
    kafka, postgres, turn_to_proxy = through
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_reset_again_and_again(kafka, postgres, turn_to_proxy, worlds, running))


async def _reset_again_and_again(kafka, postgres, turn_to_proxy, worlds, running):
    async with worlds() as world:
        await world.make_effects()
        turn_to_proxy()
        dsn = world.dsn.replace(f":{urlsplit(world.dsn).port}/", f":{postgres.port}/")
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=4, command_timeout=5)
        config = OutboxConfig(schema="commerce", source="commerce")
        wakeups = Wakeups(dsn, "commerce")
        begin = begin_on(pool, config, wakeups)
        relay = Relay(dsn=dsn, config=config, kafka=world.kafka, wakeups=wakeups, ack_timeout_s=5)
        consumers = [
            Consumer(_effects_of(f"group{n}"), begin=begin, config=config, kafka=world.kafka, commit_interval_s=0.1)
            for n in range(GROUPS)
        ]
        keeper = Housekeeping(dsn=dsn, schema="commerce", every_s=0.3)
        published = 0
        try:
            async with running(relay, keeper, *consumers):
                while kafka.resets + postgres.resets < RESETS:
                    published += await _publish(world)
                    await asyncio.sleep(random.uniform(0.05, 0.5))
                    await _reset(kafka, postgres)
                published += await _publish(world)
                await eventually(
                    lambda: _all_handled(world, published), timeout_s=60, what="every record, in every group"
                )
                await eventually(
                    lambda: all(each.problem() is None for each in (relay, keeper, *consumers)),
                    timeout_s=60,
                    what="all say that they work",
                )
        finally:
            await wakeups.close()
            await within(10, pool.close())
        assert await world.count("effect") == GROUPS * published, "each once in each group"


def _effects_of(group):
    subscriptions = Subscriptions(group)

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        await tx.conn.execute("INSERT INTO commerce.effect (event_id, key) VALUES ($1, $2)", message.id, group)

    return subscriptions


async def _publish(world):
    await world.publish(*[order_pb2.OrderPlaced(order_id=f"o{random.random()}") for _ in range(5)])
    return 5


async def _reset(*proxies):
    for proxy in proxies:
        proxy.refuse(random.random() < 0.3)
        await asyncio.to_thread(proxy.reset)
    await asyncio.sleep(0.05)
    for proxy in proxies:
        proxy.refuse(False)


async def _all_handled(world, published):
    return await world.count("effect") >= GROUPS * published
