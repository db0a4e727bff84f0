"""A loop is judged by when a step of it last ended."""

import asyncio

import pytest

from kernel.steps import LateStepError, Steps, in_time
from kernel.tasks import stop_tasks


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_time_counts_from_the_first_step_that_did_not_end():
    clock = Clock()
    steps = Steps(20, told_s=10, clock=clock)
    assert (steps.due_s, steps.late, steps.problem()) == (0.0, False, None)
    steps.begin()
    clock.now += 15
    assert not steps.late
    assert steps.problem() == "no step has ended for 15 s"
    steps.begin()  # rebuilt: a new attempt, and still nothing has ended
    clock.now += 15
    assert (steps.due_s, steps.late) == (30, False)
    clock.now += 6
    assert steps.late
    steps.end()
    assert (steps.due_s, steps.late, steps.problem()) == (0.0, False, None)


def test_a_pause_between_steps_is_not_counted():
    clock = Clock()
    steps = Steps(20, clock=clock)
    with steps.step():
        clock.now += 1
    clock.now += 1_000_000
    assert steps.due_s == 0


def test_a_step_that_fails_has_ended():
    steps = Steps(20)
    with pytest.raises(ValueError, match="no"), steps.step():
        raise ValueError("no")
    assert steps.due_s == 0


async def test_a_step_that_hangs_ends_its_loop():
    steps = Steps(0.1)
    ended = 0

    async def loop():
        nonlocal ended
        while True:
            with steps.step():
                await asyncio.sleep(60 if ended == 3 else 0)
            ended += 1

    with pytest.raises(LateStepError):
        await asyncio.wait_for(in_time(loop(), steps), 5)
    assert ended == 3
    assert steps.due_s > 0, "that step is still due"


async def test_negative_control_without_it_the_loop_hangs():
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.sleep(60), 0.5)


async def test_a_loop_that_keeps_time_runs_on_and_its_result_is_given():
    steps = Steps(0.1)

    async def loop():
        for _ in range(10):
            with steps.step():
                await asyncio.sleep(0.03)
        return "ended"

    assert await in_time(loop(), steps) == "ended"


async def test_who_is_cancelled_again_and_again_waits_for_what_the_loop_writes_down_on_its_way_out():
    written = []

    async def loop():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.3)
            written.append("all of it")

    task = asyncio.create_task(in_time(loop(), Steps(60)))
    await asyncio.sleep(0.01)
    assert not await stop_tasks(task, again_s=0.05)
    assert (task.cancelled(), written) == (True, ["all of it"])
