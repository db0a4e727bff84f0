"""A batch that cannot be committed fails its callers in bounded time, and never leaves one waiting."""

import asyncio
import contextlib

import asyncpg
import pytest

from kernel.steps import LateStepError, in_time
from kernel.tasks import beside
from messaging.core.sending import lane as lane_module
from messaging.core.sending.lane import Lane, SendingBusyError


async def test_while_the_database_is_away_callers_are_told_to_send_again(monkeypatch):
    monkeypatch.setattr(lane_module, "_PATIENCE_S", 0.3)
    monkeypatch.setattr(lane_module, "_RECONNECT_S", 0.05)
    away = [True]

    async def commit(batch):
        if away[0]:
            raise asyncpg.InternalClientError("got result for unknown protocol state 3")
        return [each.command for each in batch]

    lane = Lane("test", commit, batch_max=10)
    async with beside(lane.run(asyncio.Event())):
        refused = await asyncio.gather(*(lane.submit(n) for n in range(5)), return_exceptions=True)
        assert all(isinstance(each, SendingBusyError) for each in refused)
        assert lane.problem() is not None
        away[0] = False
        assert await lane.submit(7) == 7
        assert lane.problem() is None


async def test_a_commit_that_hangs_is_cut_and_its_callers_are_told():
    hang = [True]

    async def commit(batch):
        if hang[0]:
            hang[0] = False
            await asyncio.Event().wait()
        return [each.command for each in batch]

    lane = Lane("test", commit, batch_max=10)
    lane.steps.bound_s = 0.4

    async def supervised():
        while True:
            with contextlib.suppress(LateStepError):  # as chassis's Supervised does
                await in_time(lane.run(asyncio.Event()), lane.steps)

    async with beside(supervised()):
        with pytest.raises(SendingBusyError):
            await asyncio.wait_for(lane.submit(1), 5)
        assert await asyncio.wait_for(lane.submit(2), 5) == 2


async def test_who_waits_when_the_lane_is_cancelled_is_told():
    started = asyncio.Event()

    async def commit(_):
        started.set()
        await asyncio.Event().wait()

    lane = Lane("test", commit, batch_max=1)
    async with beside(lane.run(asyncio.Event())):
        waiting = [asyncio.create_task(lane.submit(n)) for n in range(3)]
        await started.wait()
    told = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    assert all(isinstance(each, SendingBusyError) for each in told)
