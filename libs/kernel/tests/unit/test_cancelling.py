"""The harness that cancels at every await finds what does not end, and passes what does."""

import asyncio

import pytest

from kernel.tasks import within
from testkit.cancelling import cancelled_at_every_await


async def well_behaved():
    for _ in range(5):
        await asyncio.sleep(0)
    await within(60, asyncio.sleep(60))


async def test_what_ends_wherever_it_is_cancelled_passes():
    assert await cancelled_at_every_await(well_behaved, range(1, 8), within_s=1) == 7


async def test_the_awaits_of_a_task_it_makes_count():
    async def parent():
        await asyncio.create_task(well_behaved())

    assert await cancelled_at_every_await(parent, range(1, 8), within_s=1) == 7


async def test_negative_control_one_that_never_ends_is_found():
    async def stubborn():
        while True:
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                if asyncio.current_task().cancelling() > 3:
                    raise

    with pytest.raises(AssertionError, match="cancelled at await 2: has not ended"):
        await cancelled_at_every_await(stubborn, [2], within_s=0.2)
    others = [task for task in asyncio.all_tasks() if "stubborn" in repr(task.get_coro())]
    for _ in range(4):
        for task in others:
            task.cancel()
        await asyncio.sleep(0.01)


async def test_negative_control_a_task_left_behind_is_found():
    left = []

    async def careless():
        left.append(asyncio.create_task(asyncio.sleep(60)))
        await asyncio.sleep(60)

    with pytest.raises(AssertionError, match=r"leaves .* behind"):
        await cancelled_at_every_await(careless, [2], within_s=0.1)
    left[0].cancel()
    await asyncio.wait(left)
