"""event_log: what was published can be published again with its ids; partitions come and go by the day."""

from datetime import UTC, datetime, timedelta

import asyncpg
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


async def _partitions(world):
    rows = await world.pool.fetch(
        """SELECT inhrelid::regclass::text AS name FROM pg_inherits
           WHERE inhparent = 'commerce.event_log'::regclass ORDER BY 1"""
    )
    return [row["name"].removeprefix("commerce.") for row in rows if not row["name"].endswith("_default")]


async def test_housekeeping_makes_partitions_ahead_and_drops_old_ones(world):
    keeper = Housekeeping(dsn=world.dsn, schema="commerce", log_days=5)
    today = datetime.now(UTC).date()
    for ago in (4, 5, 6, 30):
        assert await world.pool.fetchval("SELECT commerce.make_log_day($1)", today - timedelta(days=ago))
    far = today + timedelta(days=8)
    await world.pool.execute(
        """INSERT INTO commerce.event_log (id, lane, event_id, topic, key, type, body, occurred_at, correlation_id,
                                           published_at)
           VALUES (1, 0, gen_random_uuid(), 't', 'k', 'x', '', now(), 'c', $1)""",
        datetime(far.year, far.month, far.day, 12, tzinfo=UTC),
    )
    assert await world.count("event_log_default") == 1
    await keeper.work(today + timedelta(days=1))
    assert await world.count("event_log_default") == 0
    assert await world.count(tables.log_partition(far)) == 1
    kept = await _partitions(world)
    assert kept == [tables.log_partition(today + timedelta(days=each)) for each in (-4, *range(9))]
    await keeper.work(today + timedelta(days=1))
    assert await _partitions(world) == kept


async def test_a_day_of_the_log_that_is_not_over_is_not_dropped(world):
    today = datetime.now(UTC).date()
    before = await _partitions(world)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="when they are over"):
        await world.pool.fetch("SELECT commerce.drop_log_day($1)", today)
    assert await _partitions(world) == before


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
