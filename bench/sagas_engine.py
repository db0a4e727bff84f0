"""Saga engine: order_payment sagas a second over real Postgres and Kafka, beside DBOS alternated in the same run.

The engine (consumer, relay, timers) is one process; the participants answer at once from memory in another, so the
figure is the engine's own: 7 records a saga (13 of version 1), every step a transaction with inbox, compare-and-set,
history and outbox.
The reference runs four empty async steps in one process with no messages at all, so it is asked for less.

    python bench/sagas_engine.py [--callers 256] [--dbos-callers 8] [--rounds 3] [--seconds 8] [--rate 50]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import uvloop
from cpu import cpu_s
from peers.environment import python_of, version_of

from eventing import KafkaConfig
from operations.invariants import broken, check_invariants
from orchestrator.adapters.invariants import CHECKS
from orchestrator.settings import OrchestratorSettings
from orchestrator_testing.builders import a_checkout
from orchestrator_testing.engine import running_engine
from orchestrator_testing.kafka_participants import KafkaParticipants
from orchestrator_testing.world import World, new_world
from testkit.databases import Databases, with_database
from testkit.infra import local_infra
from testkit.service import settings_of
from testkit.wait import eventually

GOAL_PER_S, WISH_PER_S, GOAL_RATIO, GOAL_P99_MS = 100, 250, 4.0, 500
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Figures:
    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # of the engine's (or DBOS's) own process, each
    postgres_ms: float
    load: float

    def __str__(self) -> str:
        return (
            f"{self.per_s:7.0f}/s  p50 {self.p50_ms:6.0f} ms  p99 {self.p99_ms:6.0f} ms  "
            f"own CPU {self.cpu_ms:5.2f} ms  Postgres CPU {self.postgres_ms:5.2f} ms each  load {self.load:.1f}"
        )


class EngineProcess:
    """The engine as a child of its own."""

    def __init__(self, settings: OrchestratorSettings) -> None:
        facts = {
            "dsn": settings.database_dsn.get_secret_value(),
            "redis_url": settings.redis_url.get_secret_value(),
            "bootstrap": settings.kafka_bootstrap,
            "username": settings.kafka_username,
            "password": settings.kafka_password.get_secret_value() if settings.kafka_password else None,
            "prefix": settings.kafka_topic_prefix,
        }
        self._process = subprocess.Popen([sys.executable, __file__, "--engine"], stdin=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(facts).encode())
        self._process.stdin.close()

    def cpu_s(self) -> float:
        return cpu_s(self._process.pid)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


async def engine(facts: dict[str, str]) -> None:
    """The child."""
    kafka = KafkaConfig(
        bootstrap=facts["bootstrap"],
        username=facts["username"],
        password=facts["password"],
        topic_prefix=facts["prefix"],
        client_id="bench",
    )
    settings = settings_of(OrchestratorSettings, dsn=facts["dsn"], redis_url=facts["redis_url"], kafka=kafka)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with running_engine(settings):
        await stop.wait()


@asynccontextmanager
async def place() -> AsyncIterator[tuple[World, str]]:
    """A migrated database and topics for the engine, and an empty database on the same server for DBOS."""
    facts = local_infra()
    databases = Databases(facts.postgres_admin_dsn)
    kafka_admin = KafkaConfig(
        bootstrap=facts.kafka_bootstrap,
        username=facts.kafka_username,
        password=facts.kafka_password,
        client_id="bench",
    )
    dbos_name = f"bench_dbos_{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(facts.postgres_admin_dsn)
    await admin.execute(f'CREATE DATABASE "{dbos_name}"')
    try:
        async with new_world(databases.create, kafka_admin, facts.redis_url) as world:
            yield world, with_database(facts.postgres_admin_dsn, dbos_name)
    finally:
        await admin.execute(f'DROP DATABASE "{dbos_name}" WITH (FORCE)')
        await admin.close()
        await databases.drop_all()


async def measure(
    world: World, participants: KafkaParticipants, process: EngineProcess, *, callers: int, seconds: float
) -> Figures:
    """Closed loop: each caller starts its next saga when its last one ended."""
    participants.latency_s.clear()
    cpu, postgres, began = process.cpu_s(), await postgres_cpu_s(world.conn), time.perf_counter()

    async def caller() -> None:
        while time.perf_counter() - began < seconds:
            await run_one(participants)

    await asyncio.gather(*(caller() for _ in range(callers)))
    elapsed = time.perf_counter() - began
    return await figures_of(world, participants, process, elapsed=elapsed, cpu=cpu, postgres=postgres)


async def measure_rate(
    world: World, participants: KafkaParticipants, process: EngineProcess, *, rate: float, seconds: float
) -> Figures:
    """Open loop: a saga every ``1/rate`` s, whatever becomes of the others."""
    participants.latency_s.clear()
    cpu, postgres, began = process.cpu_s(), await postgres_cpu_s(world.conn), time.perf_counter()
    running = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        running.append(asyncio.create_task(run_one(participants)))
    await asyncio.gather(*running)
    elapsed = time.perf_counter() - began
    return await figures_of(world, participants, process, elapsed=elapsed, cpu=cpu, postgres=postgres)


async def figures_of(
    world: World,
    participants: KafkaParticipants,
    process: EngineProcess,
    *,
    elapsed: float,
    cpu: float,
    postgres: float,
) -> Figures:
    latencies = sorted(participants.latency_s)
    count = len(latencies)
    return Figures(
        per_s=count / elapsed,
        p50_ms=latencies[count // 2] * 1e3,
        p99_ms=latencies[int(count * 0.99)] * 1e3,
        cpu_ms=(process.cpu_s() - cpu) / count * 1e3,
        postgres_ms=(await postgres_cpu_s(world.conn) - postgres) / count * 1e3,
        load=os.getloadavg()[0],
    )


async def run_one(participants: KafkaParticipants) -> None:
    checkout = a_checkout()
    ended = participants.expect(checkout.checkout_id)
    await participants.start_saga(checkout)
    status = await ended
    assert status == "completed", status


def measure_dbos(python: Path, dsn: str, *, callers: int, seconds: float) -> Figures:
    run = [str(python), str(HERE / "dbos_four_steps.py"), dsn, str(callers), str(seconds)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return Figures(**json.loads(done.stdout.splitlines()[-1]), load=os.getloadavg()[0])


async def postgres_cpu_s(conn: asyncpg.Connection) -> float:
    """CPU of this database's backends that live now (the pools keep theirs open)."""
    rows = await conn.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return sum(cpu_s(row["pid"]) for row in rows)


async def main(arguments: argparse.Namespace) -> None:
    python = python_of("dbos")
    async with place() as (world, dbos_dsn), KafkaParticipants(world.kafka) as participants:
        process = EngineProcess(world.settings)
        try:
            await run_one(participants)
            await measure(world, participants, process, callers=arguments.callers, seconds=2)
            ours: list[Figures] = []
            theirs: list[Figures] = []
            for number in range(arguments.rounds):
                ours.append(
                    await measure(world, participants, process, callers=arguments.callers, seconds=arguments.seconds)
                )
                print(f"round {number + 1}  engine  {ours[-1]}", flush=True)
                theirs.append(
                    await asyncio.to_thread(
                        measure_dbos, python, dbos_dsn, callers=arguments.dbos_callers, seconds=arguments.seconds
                    )
                )
                print(f"round {number + 1}  dbos    {theirs[-1]}", flush=True)
            steady = await measure_rate(world, participants, process, rate=arguments.rate, seconds=arguments.seconds)
            print(f"at {arguments.rate:.0f}/s  engine  {steady}", flush=True)
            await eventually(lambda: not_running(world.conn), what="all sagas ended")
            faults = broken(await check_invariants(world.conn, CHECKS))
        finally:
            process.stop()
        report(ours, theirs, steady, await server_settings(world.conn), arguments)
        assert not faults, faults
        statuses = await world.statuses()
        assert participants.model.unfinished(list(statuses), []) == []


async def not_running(conn: asyncpg.Connection) -> bool:
    return not await conn.fetchval("SELECT EXISTS (SELECT FROM saga_execution WHERE NOT terminal)")


async def server_settings(conn: asyncpg.Connection) -> str:
    names = ("fsync", "synchronous_commit", "shared_buffers")
    return ", ".join([f"{name} {await conn.fetchval(f'SHOW {name}')}" for name in names])


def report(
    ours: list[Figures], theirs: list[Figures], steady: Figures, server: str, arguments: argparse.Namespace
) -> None:
    engine_per_s = sorted(each.per_s for each in ours)[len(ours) // 2]
    dbos_per_s = sorted(each.per_s for each in theirs)[len(theirs) // 2]
    ratio = engine_per_s / dbos_per_s
    callers = f"{arguments.callers} callers (dbos {arguments.dbos_callers})"
    print(f"\n{callers}, median of {arguments.rounds} rounds of {arguments.seconds:.0f} s; {server}")
    print(f"order_payment sagas  {engine_per_s:6.0f}/s   goal {GOAL_PER_S}, wish {WISH_PER_S}")
    print(f"dbos {version_of('dbos')}, 4 steps   {dbos_per_s:6.0f}/s")
    print(f"ratio                {ratio:6.1f}×    goal {GOAL_RATIO}×")
    own, other = (sorted(each.cpu_ms for each in figures)[len(figures) // 2] for figures in (ours, theirs))
    print(f"own CPU each         {own:6.2f} ms  dbos {other:.2f} ms, {other / own:.1f}×")
    print(f"p99 at {arguments.rate:.0f}/s         {steady.p99_ms:6.0f} ms  goal {GOAL_P99_MS} ms")


if __name__ == "__main__":
    if sys.argv[1:] == ["--engine"]:
        uvloop.run(engine(json.load(sys.stdin)))
        sys.exit(0)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, default=256)
    parser.add_argument("--dbos-callers", type=int, default=8, help="8 is where it does best; more make it slower")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rate", type=float, default=50)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    uvloop.run(main(parser.parse_args()))
