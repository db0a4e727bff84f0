"""Transfers in batches on a true ledger: what is recorded, what fails alone, what a lost connection leaves."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest

from chassis.postgres import Database
from chassis.run.health import Health
from eventing import OutboxConfig
from kernel.clock import SystemClock
from kernel.correlation import flow
from payment.adapters.flusher import Flusher
from payment.adapters.ledger_store import LedgerStore
from payment.adapters.transfer_store import swap
from payment.domain.outcome import LedgerBusyError, Outcome, RequestInFlightError
from payment_testing.operations import transfer
from payment_testing.people import add_person, balance, give
from payment_testing.service import settings_of
from testkit.wait import eventually

CALLS = 300
PATIENCE_S = 30.0  # longer than this machine may stand still


async def readiness(flusher):
    """What ``/readyz`` says of it: nothing where all is well."""
    health = Health()
    health.watch({"ledger": flusher.check}, [], serving=True)
    health.started = True
    unready, _ = await health.reasons()
    return unready


class Gate(LedgerStore):
    """A ledger that waits before each commit while closed."""

    def __init__(self):
        super().__init__(slot=0)
        self.open = asyncio.Event()
        self.open.set()
        self.entered = 0

    async def execute(self, conn, ops, *, now, also=None):
        await self.open.wait()
        return await super().execute(conn, ops, now=now, also=also)

    async def swap(self, conn, ops, *, now, also):
        self.entered += 1
        await self.open.wait()
        return await swap(conn, ops, now=now, also=also)


def flusher_of(connect, ledger, swap=swap):
    return Flusher(
        partitions=1,
        connect=connect,
        ledger=ledger,
        swap=swap,
        outbox_config=OutboxConfig(schema="payment", source="payment"),
        wakeups=None,
        clock=SystemClock(),
        answer_timeout_s=PATIENCE_S,
    )


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
async def flusher(payment_database, gate):
    @asynccontextmanager
    async def connect():
        conn = await asyncpg.connect(payment_database.dsn, server_settings={"application_name": "flusher-test"})
        try:
            yield conn
        finally:
            await conn.close(timeout=2)

    made = flusher_of(connect, gate, gate.swap)
    stop = asyncio.Event()
    task = asyncio.create_task(made.partitions[0].run(stop))
    yield made
    gate.open.set()
    stop.set()
    await task


@pytest.fixture
async def pair(conn):
    ann, bob = await add_person(conn), await add_person(conn)
    await give(conn, ann, 1_000)
    return ann, bob


async def test_what_waits_while_a_batch_commits_is_the_next_batch(conn, flusher, gate, pair):
    gate.open.clear()
    first = asyncio.create_task(flusher.submit(transfer(*pair, 1)))
    await eventually(lambda: gate.entered == 1)
    others = [asyncio.create_task(flusher.submit(transfer(*pair, 2))) for _ in range(50)]
    await asyncio.sleep(0)
    assert not first.done()
    gate.open.set()
    answers = await asyncio.gather(first, *others)
    assert {answer.outcome for answer in answers} == {Outcome.DONE}
    assert flusher.partitions[0].batches == 2
    assert await balance(conn, pair[1]) == (101, 0)


async def test_records_carry_each_callers_own_flow(conn, flusher, pair):
    async def caller(name):
        with flow(name, f"cause of {name}"):
            return (await flusher.submit(transfer(*pair, 1))).outcome

    await asyncio.gather(caller("flow-one"), caller("flow-two"))
    rows = await conn.fetch(
        "SELECT correlation_id, causation_id, type, topic FROM outbox WHERE correlation_id LIKE 'flow-%' ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        (f"flow-{name}", f"cause of flow-{name}", "sampan.payment.v1.TransferCompleted", "public.payment.transfer.v1")
        for name in ("one", "two")
    ]


async def test_a_refused_or_repeated_transfer_says_nothing(conn, flusher, pair):
    refused, done = transfer(*pair, 5_000), transfer(*pair, 1)
    assert (await flusher.submit(refused)).outcome == Outcome.INSUFFICIENT_FUNDS
    assert (await flusher.submit(done)).outcome == Outcome.DONE
    assert (await flusher.submit(done)).outcome == Outcome.DONE_BEFORE
    keys = await conn.fetch(
        "SELECT key FROM outbox WHERE key = ANY ($1::text[])", [str(refused.op_id), str(done.op_id)]
    )
    assert [row["key"] for row in keys] == [str(done.op_id)]


async def test_an_operation_the_database_cannot_take_fails_alone(conn, flusher, gate, pair):
    gate.open.clear()
    blocker = asyncio.create_task(flusher.submit(transfer(*pair, 1)))
    await eventually(lambda: gate.entered == 1)
    poison = transfer(*pair, 1)
    poison.note = "a NUL \x00"
    no_text = transfer(*pair, 1)
    no_text.note = "half a pair \ud800"
    good = [transfer(*pair, 1) for _ in range(9)]
    batch = [*good[:4], poison, *good[4:], no_text]
    tasks = [asyncio.create_task(flusher.submit(op)) for op in batch]
    await asyncio.sleep(0)
    gate.open.set()
    results = await asyncio.gather(blocker, *tasks, return_exceptions=True)
    failed = [op for op, result in zip(batch, results[1:], strict=True) if isinstance(result, Exception)]
    assert failed == [poison, no_text]
    assert await balance(conn, pair[1]) == (10, 0)
    assert (await flusher.submit(transfer(*pair, 1))).outcome == Outcome.DONE


async def test_the_same_id_twice_at_once_is_in_flight(flusher, gate, pair):
    gate.open.clear()
    op = transfer(*pair, 1)
    first = asyncio.create_task(flusher.submit(op))
    await eventually(lambda: gate.entered == 1)
    with pytest.raises(RequestInFlightError):
        await flusher.submit(op)
    gate.open.set()
    assert (await first).outcome == Outcome.DONE
    assert (await flusher.submit(op)).outcome == Outcome.DONE_BEFORE


@asynccontextmanager
async def locked(payment_database, people):
    """Somebody keeps these people's wallets locked."""
    holder = await asyncpg.connect(payment_database.dsn)
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM account WHERE user_id = ANY ($1) ORDER BY id FOR UPDATE", people)
            yield
    finally:
        await holder.close()


async def test_a_wallet_that_somebody_keeps_locked_holds_up_nobody_elses_transfers(
    payment_database, conn, flusher, pair
):
    ann, bob = pair
    stuck = await add_person(conn)
    await give(conn, stuck, 100)
    loop = asyncio.get_running_loop()
    async with locked(payment_database, [stuck]):
        began_s = loop.time()
        in_vain = asyncio.create_task(flusher.submit(transfer(stuck, bob, 1)))
        answers = await asyncio.gather(*(flusher.submit(transfer(ann, bob, 1)) for _ in range(30)))
        assert {answer.outcome for answer in answers} == {Outcome.DONE}
        assert loop.time() - began_s < 5  # a few locks' patience
        with pytest.raises(LedgerBusyError):
            await in_vain
    assert (await flusher.submit(transfer(stuck, bob, 1))).outcome == Outcome.DONE


async def test_many_locked_wallets_are_busy_after_one_patience(payment_database, conn, flusher, pair):
    bob, stuck = pair[1], [await add_person(conn) for _ in range(20)]
    for person in stuck:
        await give(conn, person, 100)
    ops = [transfer(person, bob, 1) for each in stuck for person in (each, pair[0])]
    loop = asyncio.get_running_loop()
    async with locked(payment_database, stuck):
        began_s = loop.time()
        results = await asyncio.gather(*(flusher.submit(op) for op in ops), return_exceptions=True)
        assert loop.time() - began_s < 3
        assert {type(result) for result in results[::2]} == {LedgerBusyError}
        assert {result.outcome for result in results[1::2]} == {Outcome.DONE}
    assert [(await flusher.submit(op)).outcome for op in ops[::2]] == [Outcome.DONE] * 20
    assert await balance(conn, bob) == (40, 0)


async def test_a_request_that_is_repeated_sends_nobody_else_through_the_locks(conn, flusher, gate, pair):
    first = transfer(*pair, 1)
    await flusher.submit(first)
    for number in range(1, 11):
        assert (await flusher.submit(first)).outcome == Outcome.DONE_BEFORE
        assert (await flusher.submit(transfer(*pair, 1))).outcome == Outcome.DONE
        assert gate.entered == 1 + 2 * number


async def test_a_flusher_whose_connection_was_cut_ends_when_it_is_told_to(
    payment_environment, payment_database, conn, pair
):
    database = await Database.connect(settings_of(payment_environment(payment_database)))
    made = flusher_of(database.read, LedgerStore(slot=0))
    running = asyncio.create_task(made.partitions[0].run(asyncio.Event()))
    await made.submit(transfer(*pair, 1))
    admin = await asyncpg.connect(payment_database.admin_dsn)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = $1 AND application_name LIKE 'sampan-%'",
        payment_database.name,
    )
    await admin.close()
    await asyncio.sleep(0.5)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=PATIENCE_S)
    assert done
    await database.close()


async def test_a_connection_cut_in_mid_batch_is_redone_and_doubles_nothing(conn, payment_database, flusher, pair):
    admin = await asyncpg.connect(payment_database.admin_dsn)
    done = []

    async def caller():
        for _ in range(10):
            answer = await flusher.submit(transfer(*pair, 1))
            done.append(answer.outcome)

    async def cutter():
        for _ in range(4):
            before = len(done)
            await eventually(
                lambda before=before: len(done) > before or len(done) >= CALLS, timeout_s=20, every_s=0.001
            )
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'flusher-test' AND datname = $1",
                payment_database.name,
            )

    await asyncio.gather(cutter(), *(caller() for _ in range(CALLS // 10)))
    await admin.close()
    assert set(done) <= {Outcome.DONE, Outcome.DONE_BEFORE}
    assert await balance(conn, pair[1]) == (CALLS, 0)


async def test_readiness_says_that_the_database_is_read_only_until_a_batch_was_committed(payment_database, conn, pair):
    """As after a failover to a standby: connections are to be had all the time."""
    read_only, said = ["on"], []

    async def watched(*arguments, **more):
        said.append(await readiness(flusher))
        return await swap(*arguments, **more)

    @asynccontextmanager
    async def connect():
        settings = {"default_transaction_read_only": read_only[0]}
        made = await asyncpg.connect(payment_database.dsn, server_settings=settings)
        try:
            yield made
        finally:
            await made.close(timeout=2)

    flusher = flusher_of(connect, LedgerStore(slot=0), watched)
    stop = asyncio.Event()
    running = asyncio.create_task(flusher.partitions[0].run(stop))
    waiting = asyncio.create_task(flusher.submit(transfer(*pair, 7)))
    await eventually(lambda: len(said) >= 4)
    assert said[:4] == [{}] + [{"ledger": "the database is read-only"}] * 3  # between two tries, and during one
    read_only[0] = "off"
    assert (await waiting).outcome == Outcome.DONE
    assert await readiness(flusher) == {}
    stop.set()
    await running
    assert await balance(conn, pair[1]) == (7, 0)
