"""Order per key is commit order, whatever commits late, however many relays there are."""

import asyncio
import contextlib
from urllib.parse import urlsplit

import asyncpg
import pytest

from eventing.lanes import lock_class, session_name
from kernel.ids import uuid7
from sampan.commerce.v1 import order_pb2
from testkit.databases import with_database
from testkit.wait import eventually

pytestmark = pytest.mark.component


async def _change(world, key, changes, pause_s):
    """Aggregate changes the way services do them: lock the row, bump its version, announce it."""
    for number in range(changes):
        async with world.begin() as tx:
            version = await tx.conn.fetchval(
                "UPDATE commerce.aggregate SET version = version + 1 WHERE key = $1 RETURNING version", key
            )
            tx.outbox.add(order_pb2.OrderPlaced(order_id=key), aggregate_version=version)
            await tx.outbox.flush()
            await asyncio.sleep(pause_s * (number % 3))  # holds its outbox id open while others commit


async def _aggregates(world, keys):
    await world.pool.execute("CREATE TABLE commerce.aggregate (key text PRIMARY KEY, version bigint)")
    await world.pool.executemany("INSERT INTO commerce.aggregate VALUES ($1, 0)", [(key,) for key in keys])


async def test_order_holds_under_concurrent_committers_and_two_relays(world, running):
    keys = [f"o{n}" for n in range(4)]
    await _aggregates(world, keys)
    tuning = {"rebalance_s": 0.1, "batch_records": 7, "pace_s": 0.0}
    async with running(world.relay(**tuning), world.relay(**tuning)):
        await asyncio.gather(*(_change(world, key, 15, 0.01) for key in keys for _ in range(2)))
        await eventually(lambda: _drained(world), timeout_s=20)
    assert await world.published() == {key: list(range(1, 31)) for key in keys}


async def _drained(world):
    return await world.count("outbox") == 0


async def test_a_late_committer_is_published_and_a_cursor_would_have_lost_it(world, running):
    """The negative control: ``id > last`` never sees a row whose transaction commits after a later id's."""
    late_written, may_commit = asyncio.Event(), asyncio.Event()

    async def late():
        async with world.begin() as tx:
            tx.outbox.add(order_pb2.OrderPlaced(order_id="late"), aggregate_version=1)
            await tx.outbox.flush()
            late_written.set()
            await may_commit.wait()

    task = asyncio.create_task(late())
    await late_written.wait()
    await world.publish(order_pb2.OrderPlaced(order_id="early"), aggregate_version=1)
    cursor = await _cursor_reads(world, 0)
    assert [key for _, key in cursor] == ["early"]
    may_commit.set()
    await task
    assert await _cursor_reads(world, cursor[-1][0]) == []  # lost for good
    async with running(world.relay()):
        await eventually(lambda: _drained(world))
    assert set(await world.published()) == {"early", "late"}


async def _cursor_reads(world, last):
    rows = await world.pool.fetch("SELECT id, key FROM commerce.outbox WHERE id > $1 ORDER BY id", last)
    return [(row["id"], row["key"]) for row in rows]


async def test_relays_share_the_lanes_and_take_over_from_one_that_is_gone(world, running):
    first, second = world.relay(rebalance_s=0.1), world.relay(rebalance_s=0.1)
    async with running(first):
        await eventually(lambda: _owners(world, [8]))
        async with running(second):
            await eventually(lambda: _owners(world, [4, 4]))
        await eventually(lambda: _owners(world, [8]))


@contextlib.asynccontextmanager
async def stranger(world, locks):
    """Sessions of another role of the same database: each calls itself a relay and takes the locks."""
    role = f"t_stranger_{uuid7().hex[-10:]}"
    await world.pool.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'test-only'")
    dsn = with_database(world.dsn, urlsplit(world.dsn).path[1:], user=role, password="test-only")
    sessions = []
    try:
        for lane, mode in locks:
            conn = await asyncpg.connect(dsn, server_settings={"application_name": session_name("commerce")})
            sessions.append(conn)
            await conn.execute(f"SELECT pg_advisory_lock{mode}($1, $2)", lock_class("commerce"), lane)
        yield
    finally:
        for conn in sessions:
            await conn.close()
        await world.pool.execute(f"DROP ROLE {role}")


async def test_sessions_of_another_role_are_no_relays_whatever_they_call_themselves_and_lock(world, running):
    relay = world.relay(rebalance_s=0.1)
    async with running(relay):
        await eventually(lambda: relay.problem() is None and _owners(world, [8]))
        async with stranger(world, [(2**31 - 1, "_shared")] * 7):
            await asyncio.sleep(0.5)  # several looks at who shares the lanes
            assert await _owners(world, [8])
            assert relay.problem() is None


async def test_a_lane_that_another_role_has_locked_is_told_and_taken_when_it_is_free(world, running):
    relay = world.relay(rebalance_s=0.1)
    async with contextlib.AsyncExitStack() as others:
        await others.enter_async_context(stranger(world, [(1, ""), (2, "_shared")]))
        async with running(relay):
            await eventually(lambda: relay.problem() == "another database role has locked lanes 1, 2")
            assert await _owners(world, [1, 6])
            await others.aclose()
            await eventually(lambda: _owners(world, [8]))
            await eventually(lambda: relay.problem() is None)


async def _owners(world, wanted):
    """Lanes owned by each relay's session."""
    rows = await world.pool.fetch(
        """SELECT count(*) AS lanes FROM pg_locks
           WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY pid"""
    )
    return sorted(row["lanes"] for row in rows) == wanted


async def test_a_stopped_relay_is_fenced_and_another_takes_its_lanes(world, running):
    await world.make_effects()
    async with world.child("relay", fence_s=1.0) as zombie:
        await eventually(lambda: _owners(world, [8]), timeout_s=30)
        zombie.send_signal(19)  # SIGSTOP
        await world.publish(*[order_pb2.OrderPlaced(order_id="o1") for _ in range(5)], aggregate_version=1)
        async with running(world.relay(rebalance_s=0.2)):
            await eventually(lambda: _drained(world), timeout_s=15)
            zombie.send_signal(18)  # SIGCONT: it finds its session gone, and joins again as one of two
            await eventually(lambda: _owners(world, [4, 4]), timeout_s=15)
            await world.publish(*[order_pb2.OrderPlaced(order_id=f"o{n}") for n in range(9)], aggregate_version=2)
            await eventually(lambda: _drained(world), timeout_s=15)
    published = await world.published()
    assert published["o1"] == [1] * 5 + [2]
    assert len(published) == 9


async def test_a_notify_from_another_process_wakes_the_relay_at_once(world, running):
    """With the poll out of the way, only the wake-up can have done it."""
    async with world.child("relay", batch=50):
        await eventually(lambda: _owners(world, [8]), timeout_s=30)
        for _ in range(5):
            await world.publish(order_pb2.OrderPlaced(order_id=str(uuid7())), aggregate_version=1)
            await eventually(lambda: _drained(world), every_s=0.005)
    assert world.wakeups._conn is not None, "a writer without a relay of its own must NOTIFY"


async def test_no_notify_while_this_process_owns_all_lanes(world, running):
    relay = world.relay()
    async with running(relay):
        await eventually(lambda: relay.problem() is None)
        await world.publish(order_pb2.OrderPlaced(order_id="o1"), aggregate_version=1)
        await eventually(lambda: _drained(world))
    assert world.wakeups._conn is None


async def test_a_lost_wakeup_costs_one_poll(world, running):
    relay = world.relay(poll_idle_s=0.2)
    async with running(relay):
        await eventually(lambda: relay.problem() is None)
        async with world.pool.acquire() as conn, conn.transaction():
            from eventing import Outbox  # noqa: PLC0415

            outbox = Outbox(conn, world.config)  # no wakeups at all
            outbox.add(order_pb2.OrderPlaced(order_id="o1"), aggregate_version=1)
            await outbox.flush()
        await eventually(lambda: _drained(world))
