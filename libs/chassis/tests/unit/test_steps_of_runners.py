"""A runner whose step hangs is started again, and its scrape and its readiness say for how long nothing ended."""

import asyncio
import itertools

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import REGISTRY

from chassis.run import repeating, runners
from chassis.run.health import DegradedError, Health
from chassis.run.ops import ops_app
from chassis.run.repeating import Periodic
from chassis.run.runners import Supervised, running
from kernel.backoff import BackoffPolicy
from kernel.notifier import Notifier
from testkit.wait import eventually


def due_s(name):
    return REGISTRY.get_sample_value("runner_step_due_seconds", {"name": name})


class Hangs:
    """Its first call never ends."""

    def __init__(self):
        self.calls = 0

    async def __call__(self):
        self.calls += 1
        if self.calls == 1:
            await asyncio.Event().wait()


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(runners, "RESTART", BackoffPolicy.constant(0.01))


async def test_a_job_that_hangs_is_started_again(soon):
    job, stop = Hangs(), asyncio.Event()
    periodic = Periodic("hanging-job", 0.01, job, bound_s=0.5)
    supervised = Supervised(periodic)
    running = asyncio.create_task(supervised.run(stop))
    await eventually(lambda: due_s("hanging-job") > 0.1)
    await eventually(lambda: "no step has ended" in (supervised.problem() or ""))
    await eventually(lambda: job.calls > 3)
    await eventually(lambda: supervised.problem() is None)
    assert due_s("hanging-job") < 0.5
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_negative_control_a_runner_without_steps_hangs_for_ever(soon):
    class Old:
        name = "old"

        def __init__(self):
            self.job = Hangs()

        async def run(self, stop):
            while not stop.is_set():
                await self.job()

        def problem(self):
            return None

    old = Old()
    supervised = Supervised(old)
    running = asyncio.create_task(supervised.run(asyncio.Event()))
    await asyncio.sleep(1)
    assert (old.job.calls, supervised.problem()) == (1, None)
    running.cancel()
    await asyncio.wait([running])


async def test_a_hanging_step_makes_a_role_unready_and_a_server_degraded():
    periodic = Periodic("standing-job", 0.01, Hangs(), bound_s=60)
    periodic.steps._told_s = 0.1
    supervised, stop = Supervised(periodic), asyncio.Event()
    supervised.critical = True
    running = asyncio.create_task(supervised.run(stop))
    await eventually(lambda: supervised.problem() is not None)
    for serving, status in ((False, 503), (True, 200)):
        health = Health()
        health.watch({}, [supervised], serving=serving)
        health.started = True
        async with TestClient(TestServer(ops_app(health))) as client:
            answer = await client.get("/readyz")
            assert answer.status == status
            assert "no step has ended" in (await answer.text())
            assert 'runner_step_due_seconds{name="standing-job"}' in await (await client.get("/metrics")).text()
    running.cancel()
    await asyncio.wait([running])


async def test_a_check_may_degrade_only():
    async def away():
        raise DegradedError from ConnectionRefusedError()

    health = Health()
    health.watch({"redis": away}, [], serving=False)
    health.started = True
    assert await health.reasons() == ({}, {"redis": "ConnectionRefusedError"})


class Stubborn:
    """Neither stops when it is asked to nor ends at its first cancel."""

    name = "stubborn"

    async def run(self, _):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)


async def test_a_process_ends_although_a_runner_loses_its_cancel():
    async def process():
        async with running([Stubborn()], drain_s=0.1):
            await asyncio.sleep(0)

    await asyncio.wait_for(process(), 10)


async def test_a_job_ends_wherever_it_is_cancelled():
    from testkit.cancelling import cancelled_at_every_await  # noqa: PLC0415

    def run():
        return Periodic("cancelled-job", 0.001, lambda: asyncio.sleep(0), jitter=0).run(asyncio.Event())

    assert await cancelled_at_every_await(run, range(1, 40), within_s=3) == 39


async def test_a_rare_call_that_failed_is_made_again_soon_and_less_soon_each_time(monkeypatch):
    monkeypatch.setattr(repeating, "AGAIN_S", 0.05)
    calls, problems = [], []

    async def outage():
        calls.append(asyncio.get_running_loop().time())
        problems.append(periodic.problem())
        if len(calls) < 4:
            raise ExceptionGroup("two", [OSError("gone"), ExceptionGroup("more", [TimeoutError(), OSError()])])

    periodic = Periodic("monthly-job", 3600, outage, jitter=0)
    stop = asyncio.Event()
    running = asyncio.create_task(periodic.run(stop))
    await eventually(lambda: len(calls) == 4)
    await eventually(lambda: periodic.problem() is None)
    waits = [later - earlier for earlier, later in itertools.pairwise(calls)]
    assert all(wait >= least for wait, least in zip(waits, (0.05, 0.1, 0.2), strict=True))
    assert problems[1:] == ["failed: OSError, TimeoutError"] * 3
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_a_rare_call_is_made_at_once_when_it_is_notified():
    calls, notifier, stop = [], Notifier(), asyncio.Event()

    async def call():
        calls.append(asyncio.get_running_loop().time())

    periodic = Periodic("notified-job", 3600, call, notifier=notifier.subscribe())
    running = asyncio.create_task(periodic.run(stop))
    for number in (1, 2):
        notifier.notify()
        await eventually(lambda number=number: len(calls) == number)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert len(calls) == 2, "a stop is no call"


async def test_pauses_grow_while_nothing_is_found_and_are_short_again_when_something_is():
    found = iter([False, False, False, True, False])

    async def call():
        return next(found)

    periodic = Periodic("idle-job", 1.0, call, idle_s=3.0, jitter=0)
    assert [await periodic.step() for _ in range(5)] == [1.0, 2.0, 3.0, 1.0, 2.0]
