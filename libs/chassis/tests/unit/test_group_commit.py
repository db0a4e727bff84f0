"""Callers come and go, batches form by themselves, and each caller gets the outcome of its own item in bounded time."""

import asyncio
import contextlib
from contextlib import asynccontextmanager, nullcontext

import asyncpg
import pytest

from chassis import group_commit
from chassis.group_commit import GroupCommit, GroupCommitMetrics
from chassis.run import Supervised
from kernel.correlation import correlation_id, flow
from kernel.errors import DomainError
from kernel.steps import LateStepError, in_time
from kernel.tasks import beside
from testkit.wait import eventually

METRICS = GroupCommitMetrics("test_group_commit", "items")
LOST = asyncpg.InternalClientError("got result for unknown protocol state 3")


class BusyError(DomainError):
    pass


class RefusedError(DomainError):
    pass


class Table:
    """What is committed, in order. ``closed`` keeps a commit from ending; ``failing`` are raised by the next ones."""

    def __init__(self, **options):
        self.batches, self.failing, self.entered = [], [], 0
        self.poison, self.locked = set(), set()
        self.open = asyncio.Event()
        self.open.set()
        given = {"hold": nullcontext, "busy": BusyError, "metrics": METRICS, "batch_max": 100} | options
        self.writer = GroupCommit("test", self.commit, **given)
        self.submit = self.writer.submit
        self.stop = asyncio.Event()

    def running(self):
        return beside(self.writer.run(self.stop))

    async def commit(self, _, batch):
        self.entered += 1
        await self.open.wait()
        if self.failing:
            raise self.failing.pop()
        items = [each.item for each in batch]
        if self.poison.intersection(items):
            raise asyncpg.DataError("what no column takes")
        if self.locked.intersection(items):
            raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout")
        self.batches.append(items)
        return [RefusedError(str(item)) if item == "refused" else f"{item} stored" for item in items]

    @property
    def stored(self):
        return [item for batch in self.batches for item in batch]

    async def waiting(self, *items):
        """Callers behind a batch that does not end yet."""
        self.open.clear()
        first = asyncio.create_task(self.submit("first"))
        await eventually(lambda: self.entered == 1)
        tasks = [asyncio.create_task(self.submit(item)) for item in items]
        await asyncio.sleep(0)
        return first, tasks


async def outcomes(tasks):
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)


async def test_what_waits_while_a_batch_commits_is_the_next_batch_in_order():
    table = Table()
    async with table.running():
        first, tasks = await table.waiting(*range(5))
        assert not first.done()
        table.open.set()
        assert await outcomes([first, *tasks]) == ["first stored", *(f"{n} stored" for n in range(5))]
    assert table.batches == [["first"], [0, 1, 2, 3, 4]]
    assert table.writer.batches == 2


async def test_a_batch_is_bounded_and_nobody_overtakes():
    table = Table(batch_max=3)
    async with table.running():
        first, tasks = await table.waiting(*range(7))

        async def once_more():
            await tasks[0]
            return await table.submit("again")

        again = asyncio.create_task(once_more())
        table.open.set()
        await outcomes([first, *tasks, again])
    assert table.batches == [["first"], [0, 1, 2], [3, 4, 5], [6, "again"]]


async def test_a_full_queue_takes_no_more_and_keeps_what_it_has():
    table = Table(queue_max=2)
    async with table.running():
        first, tasks = await table.waiting("a", "b")
        with pytest.raises(BusyError) as refused:
            await table.submit("c")
        assert refused.value.retry_after_s == 1.0
        table.open.set()
        assert await outcomes([first, *tasks]) == ["first stored", "a stored", "b stored"]


async def test_a_refusal_is_its_callers_alone():
    table = Table()
    async with table.running():
        first, tasks = await table.waiting("a", "refused", "b")
        table.open.set()
        _, a, refusal, b = await outcomes([first, *tasks])
    assert (a, b) == ("a stored", "b stored")
    assert isinstance(refusal, RefusedError)
    assert table.batches == [["first"], ["a", "refused", "b"]]


@pytest.mark.parametrize("poison", [{4}, {0, 9}, {2, 3}, set(range(10))])
async def test_what_the_database_cannot_take_is_found_by_halves_and_fails_alone(poison):
    table = Table()
    table.poison = poison
    isolated = METRICS.isolated._value.get()
    async with table.running():
        first, tasks = await table.waiting(*range(10))
        table.open.set()
        results = (await outcomes([first, *tasks]))[1:]
        assert await table.submit("after") == "after stored"
    assert {n for n, result in enumerate(results) if isinstance(result, asyncpg.DataError)} == poison
    assert table.stored == ["first", *(n for n in range(10) if n not in poison), "after"]
    assert METRICS.isolated._value.get() - isolated == len(poison)


async def test_a_caller_that_cancels_takes_nothing_back():
    table = Table()
    async with table.running():
        first, (queued, patient) = await table.waiting("queued", "patient")
        first.cancel()
        queued.cancel()
        table.open.set()
        assert await patient == "patient stored"
    assert table.stored == ["first", "queued", "patient"]


async def test_contention_is_tried_again_and_seldom_for_ever():
    table = Table()
    async with table.running():
        table.failing = [asyncpg.DeadlockDetectedError("once"), asyncpg.UniqueViolationError("twice")]
        assert await table.submit("a") == "a stored"
        table.failing = [asyncpg.SerializationError("always") for _ in range(6)]
        with pytest.raises(asyncpg.SerializationError):
            await table.submit("b")
        assert await table.submit("c") == "c stored"


async def test_who_waits_for_a_lock_in_vain_is_found_by_halves_and_keeps_nobody_long():
    """A lock's patience is spent once for each half, and never again for the same items."""
    table = Table()
    table.locked = {"stuck"}
    async with table.running():
        first, tasks = await table.waiting("stuck", *"abcdefg")
        table.open.set()
        stuck, *others = (await outcomes([first, *tasks]))[1:]
    assert isinstance(stuck, asyncpg.LockNotAvailableError)
    assert others == [f"{name} stored" for name in "abcdefg"]
    assert table.entered == 1 + 7  # of eight: 8, 4, 2, 1, 1, 2, 4


async def test_a_key_is_under_way_until_its_outcome_is_known():
    table = Table()
    async with table.running():
        table.open.clear()
        caller = asyncio.create_task(table.submit("a", "key"))
        await eventually(lambda: table.entered == 1)
        caller.cancel()
        await asyncio.sleep(0)
        assert table.writer.is_under_way("key")
        table.open.set()
        await eventually(lambda: not table.writer.is_under_way("key"))
    assert table.stored == ["a"]


async def test_commits_see_each_callers_own_flow():
    flows = []

    async def commit(_, batch):
        flows.extend(each.context.run(correlation_id) for each in batch)
        return [None] * len(batch)

    async def caller(name):
        with flow(name, "cause"):
            await writer.submit(name)

    writer = GroupCommit("test", commit, hold=nullcontext, busy=BusyError, metrics=METRICS, batch_max=10)
    async with beside(writer.run(asyncio.Event())):
        await asyncio.gather(caller("one"), caller("two"))
    assert flows == ["one", "two"]


async def test_a_batch_whose_connection_was_lost_is_committed_again_on_the_next(monkeypatch):
    monkeypatch.setattr(group_commit, "_RECONNECT_S", 0.01)
    opened = []

    @asynccontextmanager
    async def hold():
        opened.append(len(opened))
        yield opened[-1]

    table = Table(hold=hold)
    async with table.running():
        table.failing = [LOST, ConnectionResetError()]
        assert await table.submit("a") == "a stored"
        assert table.writer.problem() is None
    assert opened == [0, 1, 2]
    assert table.stored == ["a"]


async def test_what_was_answered_before_the_connection_was_lost_is_not_committed_again(monkeypatch):
    """The halves of a batch are commits of their own; who asks again meanwhile is under way anew."""
    monkeypatch.setattr(group_commit, "_RECONNECT_S", 0.05)
    committed, again = [], []

    async def commit(_, batch):
        items = [each.item for each in batch]
        if "poison" in items:
            raise asyncpg.DataError("what no column takes")
        if "c" in items and not again:
            again.append(asyncio.create_task(writer.submit("a again", "a")))
            raise LOST
        committed.append(items)
        return items

    writer = GroupCommit("test", commit, hold=nullcontext, busy=BusyError, metrics=METRICS, batch_max=10)
    callers = [asyncio.create_task(writer.submit(item, item)) for item in ("a", "poison", "b", "c")]
    await asyncio.sleep(0)
    async with beside(writer.run(asyncio.Event())):
        results = await outcomes(callers)
        assert (results[0], results[2:]) == ("a", ["b", "c"])
        assert await again[0] == "a again"
    assert committed == [["a"], ["b", "c"], ["a again"]]


async def test_a_problem_lasts_until_a_commit_shows_that_the_connection_is_of_use(monkeypatch):
    """As after a failover to a standby: connections are to be had all the time."""
    monkeypatch.setattr(group_commit, "_RECONNECT_S", 0.01)
    told = []

    async def commit(_, batch):
        told.append(writer.problem())
        if len(told) < 4:
            raise asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction")
        return [None] * len(batch)

    writer = GroupCommit("test", commit, hold=lambda: nullcontext(1), busy=BusyError, metrics=METRICS, batch_max=10)
    async with beside(writer.run(asyncio.Event())):
        await writer.submit("a")
        assert told == [None] + ["the database is read-only"] * 3
        assert writer.problem() is None


@pytest.mark.parametrize("error", [RuntimeError("a pool in a state nobody foresaw"), asyncpg.InternalClientError()])
async def test_no_way_of_failing_to_connect_ends_the_writer(error):
    """It says so while it lasts, and answers who waited once it is over."""
    broken = [True]

    @asynccontextmanager
    async def hold():
        if broken[0]:
            raise error
        yield "connection"

    table = Table(hold=hold)
    async with table.running():
        waiting = asyncio.create_task(table.submit("a"))
        await eventually(lambda: table.writer.problem() == f"no database connection: {type(error).__name__}")
        broken[0] = False
        assert await waiting == "a stored"
        assert table.writer.problem() is None


@pytest.mark.parametrize("hold", [nullcontext, lambda: nullcontext("connection")])
async def test_who_was_told_that_the_outcome_is_unknown_is_not_surprised_later(monkeypatch, hold):
    monkeypatch.setattr(group_commit, "_RECONNECT_S", 0.05)
    table = Table(hold=hold, answer_timeout_s=0.3, batch_max=2)
    table.failing = [LOST] * 1_000
    async with table.running():
        told = await outcomes([asyncio.create_task(table.submit(n, n)) for n in range(5)])
        assert all(isinstance(each, BusyError) for each in told)
        assert table.writer.problem() is not None
        await eventually(lambda: not any(table.writer.is_under_way(n) for n in range(5)))
        table.failing.clear()
        assert await table.submit("after") == "after stored"
        assert table.writer.problem() is None
    assert table.stored == ["after"]


async def test_an_answer_that_does_not_come_in_time_is_unknown_not_failed():
    table = Table(answer_timeout_s=0.05)
    async with table.running():
        table.open.clear()
        with pytest.raises(BusyError):
            await table.submit("a", "a")
        assert table.writer.is_under_way("a")
        table.open.set()
        await eventually(lambda: not table.writer.is_under_way("a"))
    assert table.stored == ["a"]


async def test_stopping_finishes_what_was_submitted_and_takes_no_more():
    table = Table(batch_max=2)
    async with table.running() as run:
        first, tasks = await table.waiting(*range(5))
        table.stop.set()
        table.open.set()
        assert await outcomes([first, *tasks]) == ["first stored", *(f"{n} stored" for n in range(5))]
        await asyncio.wait_for(run, 5)
        with pytest.raises(BusyError):
            await table.submit("late")


async def test_stopping_without_a_database_tells_who_waits(monkeypatch):
    monkeypatch.setattr(group_commit, "_RECONNECT_S", 0.01)
    table = Table(batch_max=2)
    async with table.running() as run:
        first, tasks = await table.waiting(*range(5))
        table.stop.set()
        table.failing = [LOST] * 1_000
        table.open.set()
        assert all(isinstance(each, BusyError) for each in await outcomes([first, *tasks]))
        await asyncio.wait_for(run, 5)


@pytest.mark.parametrize("at", ["connecting", "waiting", "committing", "a retry's pause", "a reconnect's pause"])
async def test_a_writer_that_is_cancelled_tells_who_waits_and_runs_again(at):
    never, connecting = asyncio.Event(), [at == "connecting"]

    @asynccontextmanager
    async def hold():
        if connecting.pop() if connecting else False:
            await never.wait()
        yield "connection"

    table = Table(hold=hold, batch_max=2)
    async with table.running() as run:
        callers = []
        if at == "waiting":
            await asyncio.sleep(0.02)
        else:
            table.failing = {
                "a retry's pause": [asyncpg.DeadlockDetectedError()] * 5,
                "a reconnect's pause": [LOST] * 100,
            }.get(at, [])
            if at == "committing":
                table.open.clear()
            callers = [asyncio.create_task(table.submit(n)) for n in range(5)]
            await eventually(lambda: at == "connecting" or table.entered >= 1)
            await asyncio.sleep(0.02)
        run.cancel()
        await asyncio.wait({run}, timeout=5)
        assert run.cancelled()
        assert all(isinstance(each, BusyError) for each in await outcomes(callers))
        assert table.writer.problem() == "it stands still"
    table.failing = []
    table.open.set()
    async with table.running():
        assert await table.submit("after") == "after stored"
        assert table.writer.problem() is None


async def test_a_writer_that_was_cancelled_from_within_runs_again():
    """As when a library lets a cancellation of its own escape."""
    failures = [asyncio.CancelledError()]

    @asynccontextmanager
    async def hold():
        if failures:
            raise failures.pop()
        yield "connection"

    table = Table(hold=hold)
    async with beside(Supervised(table.writer).run(table.stop)):
        await eventually(lambda: table.writer.problem() == "it stands still")
        assert await table.submit("a") == "a stored"
        assert table.writer.problem() is None


async def test_a_commit_that_hangs_is_cut_and_its_callers_are_told():
    table = Table()
    table.open.clear()
    table.writer.steps.bound_s = 0.4

    async def supervised():
        while True:
            with contextlib.suppress(LateStepError):  # as chassis's Supervised does
                await in_time(table.writer.run(table.stop), table.writer.steps)

    async with beside(supervised()):
        with pytest.raises(BusyError):
            await asyncio.wait_for(table.submit(1), 5)
        table.open.set()
        assert await asyncio.wait_for(table.submit(2), 5) == "2 stored"
