"""A runner goes on whatever ends it, until it is told to stop."""

import asyncio

import pytest

from chassis.run import runners
from chassis.run.runners import Supervised
from kernel.backoff import BackoffPolicy


class Faltering:
    """Its first run ends as told, its second waits to be stopped."""

    name = "faltering"

    def __init__(self, ending):
        self.ending = ending
        self.again = asyncio.Event()
        self.runs = 0

    async def run(self, stop):
        self.runs += 1
        if self.runs == 1:
            await self.ending()
        self.again.set()
        await stop.wait()

    def problem(self):
        return None


async def cancelled_from_within():
    """What aiokafka does when it is stopped at the wrong moment."""
    own = asyncio.create_task(asyncio.sleep(60))
    own.cancel()
    await own


async def failed():
    raise LookupError


@pytest.mark.parametrize("ending", [cancelled_from_within, failed])
async def test_it_is_started_again(ending, monkeypatch):
    monkeypatch.setattr(runners, "RESTART", BackoffPolicy.constant(0.01))
    runner, stop = Faltering(ending), asyncio.Event()
    running = asyncio.create_task(Supervised(runner).run(stop))
    await asyncio.wait_for(runner.again.wait(), 5)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert runner.runs == 2


async def test_it_ends_when_it_is_cancelled_itself():
    runner = Faltering(lambda: asyncio.sleep(60))
    running = asyncio.create_task(Supervised(runner).run(asyncio.Event()))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
    assert runner.runs == 1
