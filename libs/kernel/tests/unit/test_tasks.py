"""Tasks end in bounded time, also when their first cancel is lost."""

import asyncio

import pytest

from kernel.tasks import beside, despite_cancel, stop_tasks, within


async def lose_cancels(count, *, started=None):
    """What a client does that catches a cancel while it connects: it goes on as if nothing had been."""
    lost = 0
    if started is not None:
        started.set()
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            lost += 1
            if lost > count:
                raise


async def pass_cancel_on():
    """Awaits a task of its own; the cancel goes there, and the task ends normally: the cancel is lost."""

    async def ends_normally():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return

    await asyncio.create_task(ends_normally())
    await asyncio.sleep(60)


@pytest.mark.parametrize("work", [lambda: lose_cancels(1), pass_cancel_on, lambda: asyncio.sleep(60)])
async def test_a_task_ends_although_its_first_cancel_is_lost(work):
    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert not await stop_tasks(task, timeout_s=2, again_s=0.05)
    assert task.done()


@pytest.mark.parametrize("work", [lambda: lose_cancels(1), pass_cancel_on])
async def test_negative_control_a_single_cancel_would_wait_for_ever(work):
    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(task), 0.3)
    await stop_tasks(task, timeout_s=2, again_s=0.05)


async def test_a_task_that_never_ends_is_left_behind_in_time(caplog):
    task = asyncio.create_task(lose_cancels(10), name="stubborn")
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await stop_tasks(task, timeout_s=0.2, again_s=0.1) == {task}
    assert loop.time() - began < 2
    assert "stubborn" in caplog.text
    await stop_tasks(task, timeout_s=5, again_s=0.02)


async def test_what_runs_beside_a_block_ends_with_it():
    async with beside(asyncio.sleep(60)) as task:
        assert not task.done()
    assert task.cancelled()


async def test_a_call_has_its_result_or_a_timeout():
    assert await within(1, asyncio.sleep(0, "answer")) == "answer"
    with pytest.raises(TimeoutError):
        await within(0.05, asyncio.sleep(60))
    with pytest.raises(TimeoutError):
        await within(0.05, lose_cancels(1))


async def test_a_cancellation_that_escapes_from_a_call_is_a_lost_connection():
    async def cancelled_inside():
        own = asyncio.create_task(asyncio.sleep(60))
        own.cancel()
        await own

    with pytest.raises(ConnectionAbortedError):
        await within(1, cancelled_inside())


async def test_the_callers_own_cancel_ends_the_call():
    inner = asyncio.Event()
    task = asyncio.create_task(within(60, lose_cancels(0, started=inner)))
    await inner.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_what_is_written_down_on_the_way_out_ends_although_the_cancel_is_repeated():
    written = []

    async def write():
        await asyncio.sleep(0.2)
        written.append("all of it")

    async def leave():
        try:
            await asyncio.sleep(60)
        finally:
            await despite_cancel(write(), timeout_s=5)

    task = asyncio.create_task(leave())
    await asyncio.sleep(0)
    assert not await stop_tasks(task, again_s=0.02)
    assert task.cancelled()
    assert written == ["all of it"]


async def test_negative_control_without_that_the_second_cancel_ends_the_writing():
    written = []

    async def leave():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.2)
            written.append("all of it")

    task = asyncio.create_task(leave())
    await asyncio.sleep(0)
    assert not await stop_tasks(task, again_s=0.02)
    assert written == []


async def test_what_takes_too_long_on_the_way_out_is_cut_and_what_fails_is_raised():
    async def fails():
        raise OSError("disk")

    assert await despite_cancel(asyncio.sleep(0), timeout_s=1)
    assert not await despite_cancel(asyncio.sleep(60), timeout_s=0.05)
    with pytest.raises(OSError, match="disk"):
        await despite_cancel(fails(), timeout_s=1)


async def test_a_cancel_meanwhile_comes_after_the_work():
    done = []

    async def work():
        await asyncio.sleep(0.1)
        done.append(1)

    task = asyncio.create_task(despite_cancel(work(), timeout_s=5))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [1]
