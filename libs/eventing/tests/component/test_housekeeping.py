"""What cannot be done now is said, and keeps nothing else from being done."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from eventing.housekeeping import Housekeeping
from testkit.cancelling import cancelled_at_every_await

pytestmark = pytest.mark.component


async def _partitions(world):
    rows = await world.pool.fetch(
        """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'commerce.event_log'::regclass AND c.relname <> 'event_log_default' ORDER BY 1"""
    )
    return [row["relname"] for row in rows]


async def test_a_partition_that_cannot_be_dropped_keeps_no_other_work(world):
    keeper = Housekeeping(dsn=world.dsn, schema="commerce", log_days=30, inbox_days=21)
    old = datetime.now(UTC).date() - timedelta(days=40)
    await keeper.work(old)
    await world.pool.execute(
        "INSERT INTO commerce.inbox (consumer, event_id, received_at) VALUES ('c', gen_random_uuid(), now() - '30 d'::interval)"
    )
    [locked, *others] = [
        name for name in await _partitions(world) if name < f"event_log_{old + timedelta(days=8):%Y%m%d}"
    ]
    async with world.pool.acquire() as conn, conn.transaction():
        await conn.execute(f"LOCK TABLE commerce.{locked} IN ACCESS SHARE MODE")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await keeper.work()
        left = await _partitions(world)
    assert locked in left
    assert not set(others) & set(left)
    assert await world.count("inbox") == 0
    await keeper.work()
    assert locked not in await _partitions(world)


async def test_it_ends_wherever_it_is_cancelled(world):
    async def run():
        await Housekeeping(dsn=world.dsn, schema="commerce").work()

    assert await cancelled_at_every_await(run, range(1, 20, 2), within_s=5) >= 5
