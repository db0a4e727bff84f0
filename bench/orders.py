"""Orders on the whole stack: checkout to paid through the gateway, and order_payment sagas with every service running.

Checkout, after a warm-up that does not count: 16 buyers, each placing an order as soon as the one before is paid; the
clock runs from the POST until the buyer reads that it is paid. Then the same buyers at 30 orders a second together:
buyers who never pause have p50 = 16 / rate, so the p50 of the goal is read there. Single: one buyer, two orders a
second. Sagas: the orchestrator is stopped,
a backlog of orders is placed, it is started again, and the clock runs from the first saga's start to the last one's
end. The reference, alternated with each round on the same Postgres, is a workflow of four empty steps on DBOS; of
checkouts, if asked, Saleor's (peers/saleor.py). Every service, Kafka, Postgres and the load run on the same cores.

    python bench/orders.py [--buyers 16] [--seconds 15] [--backlog 1500] [--rounds 2] [--callers 64]
        [--arms single,checkouts,paced,sagas,dbos,saleor] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests-e2e"), str(ROOT / "deploy" / "local"), str(ROOT / "bench")]

import people  # noqa: E402
from chat.machine import server_settings  # noqa: E402
from comparison.readings import Reading, Report, arms_option, json_option  # noqa: E402
from cpu import family_cpu_s  # noqa: E402
from demo.facts import read_facts, service_environment  # noqa: E402
from demo.processes import pid_of  # noqa: E402
from demo.services import SERVICES  # noqa: E402
from peers.environment import Absent, python_of, version_of  # noqa: E402
from peers.saleor import Saleor, saleor  # noqa: E402

from testkit.client import Api, Person  # noqa: E402
from testkit.databases import with_database  # noqa: E402

CHECKOUTS_GOAL_PER_S, P50_GOAL_MS, SAGAS_GOAL_PER_S = 30, 200, 100
SINGLE_PER_S = 2  # one order at a time
NAMES = {"paced": f"at {CHECKOUTS_GOAL_PER_S}/s"}
PARTS = (*SERVICES, "gateway", "kafka", "postgres")
PRICE_MINOR = 1_00
MONEY_MINOR = 5_000_00
PRODUCTS = 20
WARM_UP_S = 20.0
ORDER = ("single", "checkouts", "saleor", "paced", "sagas", "dbos")  # each after what it is compared with


Measured = tuple[Reading, str]


async def main(arguments: argparse.Namespace) -> None:
    """Set the scene, then alternate: checkouts, backlog of sagas, DBOS."""
    facts, seconds = read_facts(), arguments.seconds
    async with AsyncExitStack() as held:
        api = await held.enter_async_context(Api(facts.gateway_url, connections=400))
        dbos_dsn = await held.enter_async_context(empty_database())
        report = Report(settings=[f"{await server_settings(dbos_dsn)}, acks=all, {os.cpu_count()} cores"])
        variants = [
            (await people.shop_with_product(api, on_hand=1_000_000, price_minor=PRICE_MINOR))[2]
            for _ in range(PRODUCTS)
        ]
        buyers = [await people.buyer_with(api, MONEY_MINOR, f"Buyer{n}") for n in range(arguments.buyers)]
        arms: dict[str, Callable[[], Awaitable[Measured]]] = {
            "checkouts": lambda: checkouts(buyers, variants, seconds),
            "single": lambda: paced("single", buyers[:1], variants, seconds, SINGLE_PER_S),
            "paced": lambda: paced("paced", buyers, variants, seconds, CHECKOUTS_GOAL_PER_S),
            "sagas": lambda: sagas(buyers, variants, arguments.backlog),
            **await peers(held, report, dbos_dsn, arguments),
        }
        await checkouts(buyers, variants, arguments.warm_up)  # the broker compiles itself, at three times the cost
        for number in range(arguments.rounds):
            for arm in (each for each in ORDER if each in arms and each in arguments.arms):
                reading, line = await arms[arm]()
                report.readings.append(reading)
                print(f"round {number + 1}  {line}", flush=True)
    print(
        f"goals: checkouts ≥ {CHECKOUTS_GOAL_PER_S}/s at 16 buyers, p50 ≤ {P50_GOAL_MS} ms; "
        f"sagas ≥ {SAGAS_GOAL_PER_S}/s\nsettings: {report.settings[0]}"
    )
    report.keep(arguments.json)


async def peers(
    held: AsyncExitStack, report: Report, dbos_dsn: str, arguments: argparse.Namespace
) -> dict[str, Callable[[], Awaitable[Measured]]]:
    """Those that were asked for and can be had."""
    found: dict[str, Callable[[], Awaitable[Measured]]] = {}
    if "dbos" in arguments.arms:
        try:
            python = await asyncio.to_thread(python_of, "dbos")
            found["dbos"] = lambda: asyncio.to_thread(dbos, python, dbos_dsn, arguments.callers, arguments.seconds)
            report.settings.append(f"DBOS {version_of('dbos')}, {arguments.callers} callers, on the same Postgres")
        except Absent as absent:
            report.leave_out("dbos", absent)
    if "saleor" in arguments.arms:
        try:
            peer = await held.enter_async_context(saleor())
            found["saleor"] = lambda: saleor_checkouts(peer, arguments.buyers, arguments.seconds)
            report.settings.append(f"Saleor {peer.version}, as somebody started it")
        except Absent as absent:
            report.leave_out("saleor", absent)
    return found


async def checkouts(buyers: list[Person], variants: list[str], seconds: float) -> Measured:
    """Orders a second and the time from POST to "paid", as the buyers see it."""

    async def shop(buyer: Person, until: float) -> list[float]:
        spans = []
        while time.monotonic() < until:
            spans.append(await bought(buyer, variants, time.monotonic()))
        return spans

    return await shopping("checkouts", buyers, seconds, shop)


async def paced(arm: str, buyers: list[Person], variants: list[str], seconds: float, per_s: float) -> Measured:
    """The same at a fixed rate. The clock of a late order runs from when its turn was."""

    async def shop(buyer: Person, until: float) -> list[float]:
        spans, turn = [], until - seconds + buyers.index(buyer) / per_s
        while turn < until:
            await asyncio.sleep(max(0.0, turn - time.monotonic()))
            spans.append(await bought(buyer, variants, turn))
            turn += len(buyers) / per_s
        return spans

    return await shopping(arm, buyers, seconds, shop)


async def shopping(
    arm: str, buyers: list[Person], seconds: float, shop: Callable[[Person, float], Awaitable[list[float]]]
) -> Measured:
    """What it came to: rate, times, CPU."""
    pids = pids_by_part()
    before, began = cpu_by_part(pids), time.monotonic()
    spans = sorted(span for mine in await asyncio.gather(*(shop(b, began + seconds) for b in buyers)) for span in mine)
    took, after = time.monotonic() - began, cpu_by_part(pids)
    cpu_ms, shown = costs(before, after, len(spans))
    reading = Reading(
        arm=arm,
        figure=len(spans) / took,
        cpu_ms=cpu_ms,
        p50_ms=statistics.median(spans) * 1000,
        p99_ms=spans[int(len(spans) * 0.99)] * 1000,
    )
    name = NAMES.get(arm, arm)
    return reading, (
        f"{name:<9} {reading.figure:6.1f}/s  p50 {reading.p50_ms:5.0f} ms  p99 {reading.p99_ms:5.0f} ms  {shown}"
    )


async def bought(buyer: Person, variants: list[str], since: float) -> float:
    """One checkout until it is paid. Returns the seconds since then."""
    placed = await people.order(buyer, random.choice(variants))
    paid = await people.settled(buyer, placed)
    assert paid["payment_status"] == "paid", paid["cancel_reason_code"]
    return time.monotonic() - since


async def sagas(buyers: list[Person], variants: list[str], backlog: int) -> Measured:
    """How fast a backlog of sagas is worked off."""
    stack("stop", "orchestrator")
    each = backlog // len(buyers)
    placed = await asyncio.gather(*(place_many(buyer, variants, each) for buyer in buyers))
    keys = [checkout["checkout_id"] for mine in placed for checkout in mine]
    before = cpu_by_part(pids_by_part())
    stack("start", "orchestrator")
    rate = await drained(keys)
    after = cpu_by_part(pids_by_part())
    cpu_ms, shown = costs(before, after, len(keys))
    reading = Reading(arm="sagas", figure=rate, cpu_ms=cpu_ms)
    return reading, f"sagas     {rate:6.1f}/s  backlog of {len(keys)}  {shown}"


async def place_many(buyer: Person, variants: list[str], count: int) -> list[dict[str, str]]:
    return [await people.order(buyer, random.choice(variants)) for _ in range(count)]


async def drained(keys: list[str]) -> float:
    """Wait until all sagas of these checkouts have completed. Returns sagas a second."""
    conn = await asyncpg.connect(service_environment("orchestrator")["ORCHESTRATOR_DATABASE_DSN"])
    try:
        while True:
            row = await conn.fetchrow(
                """SELECT count(*) FILTER (WHERE status = 'completed') AS completed,
                          count(*) FILTER (WHERE status = 'failed') AS failed,
                          extract(epoch FROM max(completed_at) - min(started_at)) AS took_s
                   FROM orchestrator.saga_execution WHERE business_key = ANY($1)""",
                keys,
            )
            assert row["failed"] == 0
            if row["completed"] == len(keys):
                return len(keys) / float(row["took_s"])
            await asyncio.sleep(0.5)
    finally:
        await conn.close()


def dbos(python: Path, dsn: str, callers: int, seconds: float) -> Measured:
    """The reference: four empty steps."""
    command = [str(python), str(ROOT / "bench" / "dbos_four_steps.py"), dsn, str(callers), str(seconds)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    reading = Reading(
        arm="dbos",
        figure=found["per_s"],
        cpu_ms=found["cpu_ms"] + found["postgres_ms"],
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
    )
    return reading, (
        f"dbos      {reading.figure:6.1f}/s  CPU ms each: {reading.cpu_ms:.1f}  version {version_of('dbos')}, "
        f"four empty steps, {callers} callers"
    )


async def saleor_checkouts(peer: Saleor, buyers: int, seconds: float) -> Measured:
    found = await peer.checkouts(buyers, seconds)
    reading = Reading(
        arm="saleor", figure=found["per_s"], cpu_ms=found["cpu_ms"], p50_ms=found["p50_ms"], p99_ms=found["p99_ms"]
    )
    return reading, (
        f"saleor    {reading.figure:6.1f}/s  p50 {reading.p50_ms:5.0f} ms  p99 {reading.p99_ms:5.0f} ms  "
        f"CPU ms each: {reading.cpu_ms:.1f}  version {peer.version}, checkoutComplete alone"
    )


def pids_by_part() -> dict[str, int]:
    """The parts that run. Takes seconds: not while the clock runs."""
    found = {}
    for part in PARTS:
        with contextlib.suppress(LookupError):
            found[part] = pid_of(part)
    return found


def cpu_by_part(pids: dict[str, int]) -> dict[str, float]:
    """CPU seconds of each part so far, children included."""
    return {part: family_cpu_s(pid) for part, pid in pids.items()}


def costs(before: dict[str, float], after: dict[str, float], count: int) -> tuple[float, str]:
    """CPU milliseconds of all parts per unit of work, and of each."""
    spent = {part: (used - before.get(part, 0.0)) * 1000 / count for part, used in after.items()}
    total, shown = sum(spent.values()), "  ".join(f"{part} {ms:.1f}" for part, ms in spent.items())
    return total, f"CPU ms each: {total:.1f} ({shown})  load {os.getloadavg()[0]:.1f}"


def stack(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "stack", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "deploy" / "local")},
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@asynccontextmanager
async def empty_database() -> AsyncIterator[str]:
    """A database for DBOS on the stack's own Postgres."""
    admin_dsn = service_environment("infra")["POSTGRES_ADMIN_DSN"]
    name = f"bench_dbos_{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(admin_dsn)
    await admin.execute(f'CREATE DATABASE "{name}"')
    try:
        yield with_database(admin_dsn, name)
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--buyers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--backlog", type=int, default=1_500)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--callers", type=int, default=64, help="of DBOS")
    parser.add_argument("--warm-up", type=float, default=WARM_UP_S, metavar="SECONDS")
    arms_option(parser, "single", "checkouts", "paced", "sagas", "dbos")
    json_option(parser)
    asyncio.run(main(parser.parse_args()))
