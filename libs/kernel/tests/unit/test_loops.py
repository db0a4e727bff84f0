"""A loop goes on whatever its steps do, pauses as they say, and ends soon after it is told to."""

import asyncio
import time
from itertools import pairwise

from kernel.backoff import BackoffPolicy
from kernel.loops import pause, repeat
from kernel.notifier import Notifier
from kernel.steps import Steps
from testkit.cancelling import cancelled_at_every_await

AGAIN = BackoffPolicy(first_s=0.02, cap_s=60)


class Work:
    """Takes what each step shall do from a list: fail, or say how long to pause. Stops when there is no more."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.at, self.errors = [], []
        self.stop, self.notifier, self.steps = asyncio.Event(), Notifier(), Steps(60)

    async def step(self):
        assert self.steps.due_s > 0, "the step is reported"
        await asyncio.sleep(0)
        self.at.append(time.monotonic())
        outcome = self.outcomes.pop(0)
        if not self.outcomes:
            self.stop.set()
        if isinstance(outcome, Exception):
            raise outcome
        if outcome == "notified meanwhile":
            self.notifier.notify()
            return 60
        return outcome

    async def run(self, **options):
        options = {"again": AGAIN, "failed": self.errors.append, "notifier": self.notifier, **options}
        await asyncio.wait_for(repeat(self.step, self.stop, steps=self.steps, **options), 5)
        assert self.steps.due_s == 0
        return [later - earlier for earlier, later in pairwise(self.at)]


async def test_it_pauses_as_long_as_a_step_says():
    waits = await Work(0.1, 0, 60).run()
    assert waits[0] >= 0.09
    assert waits[1] < 0.09


async def test_a_step_that_fails_is_told_and_done_again_later_each_time_until_one_works():
    failures = [OSError("gone"), OSError("gone"), OSError("gone")]
    work = Work(*failures, 0, LookupError(), 60)
    waits = await work.run()
    assert [type(each) for each in work.errors] == [OSError, OSError, OSError, LookupError]
    assert all(wait >= least for wait, least in zip(waits, [0.02, 0.04, 0.08, 0, 0.02], strict=True))
    assert waits[4] < waits[2], "a success began anew"


async def test_a_notification_ends_a_pause():
    work = Work(60, 60)
    asyncio.get_running_loop().call_later(0.05, work.notifier.notify)
    assert (await work.run())[0] < 5


async def test_one_that_comes_during_a_step_is_not_missed():
    work = Work("notified meanwhile", 60)
    assert len(await work.run()) == 1


async def test_a_notification_does_not_end_the_wait_after_a_failure():
    work = Work(OSError(), 60)
    work.notifier.notify()
    asyncio.get_running_loop().call_later(0.01, work.notifier.notify)
    assert (await work.run(again=BackoffPolicy.constant(0.1)))[0] >= 0.09


async def test_what_comes_soon_after_a_notification_is_done_with_it():
    work = Work(None, 60)
    work.notifier.notify()
    for after_s in (0.02, 0.04):
        asyncio.get_running_loop().call_later(after_s, work.notifier.notify)
    began = time.monotonic()
    asyncio.get_running_loop().call_later(0.2, work.notifier.notify)
    await work.run(gather_s=0.1, first_pause_s=None)
    assert [at - began >= least for at, least in zip(work.at, (0.09, 0.29), strict=True)] == [True, True]


async def test_a_pause_without_end_ends_at_the_stop():
    work = Work(None, 60)
    asyncio.get_running_loop().call_later(0.02, work.stop.set)
    await work.run(gather_s=60)
    assert len(work.at) == 1


async def test_it_pauses_before_the_first_step_when_asked_to():
    work, began = Work(60), time.monotonic()
    await work.run(first_pause_s=0.1)
    assert work.at[0] - began >= 0.09


async def test_who_is_stopped_already_does_nothing():
    work = Work(60)
    work.stop.set()
    await work.run(first_pause_s=60)
    assert work.at == []


async def test_what_is_unfinished_is_done_after_the_stop_and_without_pauses():
    work = Work(60, 60, 60, 60)
    work.stop.set()
    await work.run(unfinished=lambda: bool(work.outcomes))
    assert len(work.at) == 4


async def test_after_the_stop_a_failure_is_the_end():
    work = Work(60, OSError(), 60)
    work.stop.set()
    await work.run(unfinished=lambda: bool(work.outcomes))
    assert (len(work.at), len(work.errors)) == (2, 1)


async def test_it_ends_wherever_it_is_cancelled():
    def run():
        async def step():
            return 0.001

        return repeat(step, asyncio.Event(), steps=Steps(60), again=AGAIN, failed=lambda _: None)

    assert await cancelled_at_every_await(run, range(1, 40), within_s=3) == 39


async def test_a_pause_ends_at_the_stop():
    stop = asyncio.Event()
    await pause(stop, 0.01)
    asyncio.get_running_loop().call_later(0.01, stop.set)
    await asyncio.wait_for(pause(stop, 60), 5)
