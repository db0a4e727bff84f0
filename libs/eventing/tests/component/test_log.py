"""event_log: what was published can be published again with its ids; partitions come and go by the day."""

from datetime import UTC, datetime, timedelta

import pytest

from eventing import tables
from eventing.housekeeping import Housekeeping
from eventing.replay import replay
from sampan.commerce.v1 import order_pb2
from testkit.wait import eventually

pytestmark = pytest.mark.component
TOPIC, OTHER = "public.commerce.order.v1", "public.commerce.shop.v1"


async def _drained(world):
    return await world.count("outbox") == 0


async def test_a_replay_has_the_original_ids_and_order_and_is_not_logged_again(world, running):
    async with running(world.relay()):
        for number in range(6):
            await world.publish(order_pb2.OrderPlaced(order_id=f"o{number % 2}"), aggregate_version=number)
        await eventually(lambda: _drained(world))
        since, until = datetime.now(UTC) - timedelta(minutes=1), datetime.now(UTC) + timedelta(minutes=1)
        async with world.pool.acquire() as conn:
            assert await replay(conn, world.config, TOPIC, since=since, until=until, to=OTHER) == 6
            assert await replay(conn, world.config, TOPIC, since=since, until=until, key="o1") == 3
            assert await replay(conn, world.config, TOPIC, since=until, until=until) == 0
        await eventually(lambda: _drained(world))
    original, copied = await world.log_of(TOPIC), await world.log_of(OTHER)
    first_ids = [dict(record.headers)["ce_id"] for record in original]
    assert len(original) == 9
    assert len(set(first_ids)) == 6
    assert {dict(record.headers)["ce_id"] for record in copied} == set(first_ids)
    assert await world.published(OTHER) == {"o0": [0, 2, 4], "o1": [1, 3, 5]}
    assert await world.count("event_log") == 6


async def test_housekeeping_makes_partitions_ahead_and_drops_old_ones(world):
    keeper = Housekeeping(dsn=world.dsn, schema="commerce", log_days=5)
    today = datetime.now(UTC).date()
    far = today + timedelta(days=20)
    await world.pool.execute(
        """INSERT INTO commerce.event_log (id, lane, event_id, topic, key, type, body, occurred_at, correlation_id,
                                           published_at)
           VALUES (1, 0, gen_random_uuid(), 't', 'k', 'x', '', now(), 'c', $1)""",
        datetime(far.year, far.month, far.day, 12, tzinfo=UTC),
    )
    assert await world.count("event_log_default") == 1
    await keeper.work(far)
    assert await world.count("event_log_default") == 0
    name, _ = tables.log_partition("commerce", far)
    assert await world.count(name) == 1
    kept = await keeper._partitions(world.pool)
    assert kept == [tables.log_partition("commerce", far + timedelta(days=ahead))[0] for ahead in range(8)]
    await keeper.work(far)
    assert await keeper._partitions(world.pool) == kept


async def test_housekeeping_deletes_old_claims_only(world):
    await world.pool.execute(
        """INSERT INTO commerce.inbox (consumer, event_id, received_at)
           SELECT 'commerce', gen_random_uuid(), now() - n * interval '1 day' FROM generate_series(1, 30) AS n"""
    )
    await Housekeeping(dsn=world.dsn, schema="commerce", inbox_days=10).work()
    assert await world.count("inbox") == 9


async def test_downgrade_removes_everything(world):
    for statement in tables.downgrade("commerce"):
        await world.pool.execute(statement)
    left = await world.pool.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'commerce'::regnamespace")
    assert left == 0
