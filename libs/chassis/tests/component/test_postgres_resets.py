"""Connections to Postgres are reset again and again: whatever that raises is an outage to the edge, jobs go on, and the
pool is whole afterwards."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import uvloop

from chassis.http.problems import refusal_of
from chassis.outages import is_outage
from chassis.postgres import Database
from chassis.run import Periodic
from chassis.run.runners import Supervised
from chassis.settings import ServiceSettings
from kernel.tasks import beside, stop_tasks
from testkit.cancelling import cancelled_at_every_await
from testkit.resets import ResettingProxy
from testkit.sizes import SOAK
from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.timeout(900 if SOAK else 120)]

RESETS = 3_000 if SOAK else 250
WORKERS = 8

MakeSettings = Callable[..., ServiceSettings]


@pytest.fixture
def proxy(chassis_dsn: str) -> Iterator[ResettingProxy]:
    parts = urlsplit(chassis_dsn)
    with ResettingProxy(parts.hostname or "127.0.0.1", parts.port or 5432) as proxy:
        yield proxy


def test_whatever_a_reset_raises_is_an_outage(
    proxy: ResettingProxy, chassis_dsn: str, shop_settings: MakeSettings
) -> None:
    dsn = chassis_dsn.replace(f":{urlsplit(chassis_dsn).port}/", f":{proxy.port}/")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raised = runner.run(_reset_again_and_again(proxy, shop_settings(dsn, database_pool_max=4)))
    assert raised, "resets were noticed"
    assert not {repr(error) for error in raised if not is_outage(error)}
    one_of_each = {type(error): error for error in raised}.values()  # rendering a traceback takes its time
    assert {refusal_of(error).code for error in one_of_each} == {"service.unavailable"}


async def _reset_again_and_again(proxy: ResettingProxy, settings: ServiceSettings) -> list[Exception]:
    database, raised, done = await Database.connect(settings), [], 0

    async def work() -> None:
        nonlocal done
        async with database.begin() as conn:
            await conn.fetch("SELECT generate_series(1, 500)")
            async with conn.transaction():
                await conn.execute("SELECT pg_sleep(0.002)")
        done += 1

    async def work_and_note() -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 -- what they are is the question
            raised.append(error)
            await asyncio.sleep(0.005)

    async def work_on() -> None:
        while True:
            await work_and_note()

    stop = asyncio.Event()
    job = Supervised(Periodic("reset-job", 0.01, work_and_note))
    running = asyncio.create_task(job.run(stop))
    workers = [asyncio.create_task(work_on()) for _ in range(WORKERS)]
    while proxy.resets < RESETS:
        await asyncio.sleep(random.uniform(0.005, 0.05))
        proxy.refuse(random.random() < 0.2)
        await asyncio.to_thread(proxy.reset)
    proxy.refuse(False)
    await stop_tasks(*workers)
    before = done
    await eventually(lambda: done > before + 5 and job.problem() is None, timeout_s=20, what="the job goes on")
    stop.set()
    await asyncio.wait_for(running, 10)
    await eventually(lambda: database.usage()[0] == 0, what="no connection is lost to the pool")
    await database.check()
    await database.close()
    return raised


async def test_a_transaction_ends_wherever_it_is_cancelled_and_gives_its_connection_back(
    database_of_shop: Database,
) -> None:
    async def work() -> None:
        async with database_of_shop.begin() as conn:
            await conn.fetchval("SELECT 1")
            async with conn.transaction():
                await conn.execute("SELECT pg_sleep(0.01)")

    await cancelled_at_every_await(work, range(1, 25), within_s=5)
    await eventually(lambda: database_of_shop.usage()[0] == 0)
    async with beside(database_of_shop.check()) as checking:
        await checking
