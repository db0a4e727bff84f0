"""Relay figures: commit → broker ack at a steady rate, drain rate of a backlog, CPU per record.

The reference, alternated in the same run, is a bare aiokafka producer sending the same records without any outbox:
what broker and client cost by themselves. ``python bench/relay.py [--rate 2000] [--seconds 10] [--backlog 60000]``
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from cpu import own_cpu_s

from eventing import KafkaConfig, OutboxConfig, Relay, Wakeups, tables
from sampan.commerce.v1 import order_pb2
from testkit.databases import with_database
from testkit.infra import local_infra
from testkit.topics import admin_client
from testkit.transaction import begin_on
from testkit.wait import eventually

TOPIC = "public.commerce.order.v1"
CONFIG = OutboxConfig(schema="commerce", source="commerce")
PARTITIONS = 6
EVENTS_PER_COMMIT = 4
WRITERS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A database and a topic prefix of this run's own."""

    dsn: str
    pool: asyncpg.Pool
    kafka: KafkaConfig


@contextlib.asynccontextmanager
async def place() -> AsyncIterator[Place]:
    facts = local_infra()
    name = f"bench_relay_{uuid.uuid4().hex[:8]}"
    kafka = KafkaConfig(
        bootstrap=facts.kafka_bootstrap,
        username=facts.kafka_username,
        password=facts.kafka_password,
        topic_prefix=f"{name}.",
        client_id="bench",
    )
    admin = await asyncpg.connect(facts.postgres_admin_dsn)
    await admin.execute(f'CREATE DATABASE "{name}"')
    dsn = with_database(facts.postgres_admin_dsn, name)
    cluster = admin_client(kafka)
    await cluster.start()
    await cluster.create_topics([NewTopic(kafka.topic_prefix + TOPIC, PARTITIONS, 1)])
    pool = await asyncpg.create_pool(dsn, min_size=2, max_size=4)
    try:
        await pool.execute("CREATE SCHEMA commerce")
        for statement in (*tables.upgrade("commerce"), *tables.functions("commerce").values()):
            await pool.execute(statement)
        yield Place(dsn, pool, kafka)
    finally:
        await pool.close()
        await cluster.delete_topics([kafka.topic_prefix + TOPIC])
        await cluster.close()
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


def order(number: int) -> order_pb2.OrderPlaced:
    """A record of about 300 bytes."""
    return order_pb2.OrderPlaced(
        order_id=str(uuid.UUID(int=number % 5_000)),
        order_number=f"TH-26-{number:06}",
        checkout_id=str(uuid.uuid4()),
        buyer_id=str(uuid.uuid4()),
        shop_id=str(uuid.uuid4()),
        shop_name="Baan Thai Silk",
        seller_id=str(uuid.uuid4()),
        lines=[order_pb2.OrderLine(line_id=str(uuid.uuid4()), title="ผ้าไหม", quantity=2)],
        country="TH",
    )


async def write(dsn: str, rate: int, seconds: float) -> None:
    """Child process: commit at ``rate`` and print when each event's commit returned."""
    pool = await asyncpg.create_pool(dsn, min_size=WRITERS, max_size=WRITERS)
    async with Wakeups(dsn, "commerce") as wakeups:
        begin = begin_on(pool, CONFIG, wakeups)
        committed: list[tuple[str, float]] = []
        began = time.monotonic()
        commits = int(rate * seconds / EVENTS_PER_COMMIT)

        async def writer(first: int) -> None:
            for number in range(first, commits, WRITERS):
                await asyncio.sleep(max(0.0, began + number * EVENTS_PER_COMMIT / rate - time.monotonic()))
                async with begin() as tx:
                    ids = [tx.outbox.add(order(number * EVENTS_PER_COMMIT + n)) for n in range(EVENTS_PER_COMMIT)]
                now = time.monotonic()
                committed.extend((str(event_id), now) for event_id in ids)

        await asyncio.gather(*(writer(first) for first in range(WRITERS)))
        took = time.monotonic() - began
    await pool.close()
    json.dump({"committed": committed, "rate": len(committed) / took}, sys.stdout)


async def steady(where: Place, rate: int, seconds: float) -> dict[str, float]:
    """Commit → ack latency with the writers in another process, woken by NOTIFY."""
    wakeups = Wakeups(where.dsn, "commerce")
    relay = Relay(dsn=where.dsn, config=CONFIG, kafka=where.kafka, wakeups=wakeups)
    acked: dict[str, float] = {}
    publish = relay._publisher.publish  # noqa: SLF001

    async def timed(rows: Any) -> Any:
        report = await publish(rows)
        now = time.monotonic()
        acked.update((str(row["event_id"]), now) for row in report.acked)
        return report

    relay._publisher.publish = timed  # type: ignore[method-assign]  # noqa: SLF001
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    await eventually(lambda: relay.problem() is None)
    cpu = own_cpu_s()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--writer",
        where.dsn,
        "--rate",
        str(rate),
        "--seconds",
        str(seconds),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await child.communicate()
    written = json.loads(output)
    await eventually(lambda: len(acked) == len(written["committed"]), timeout_s=60)
    used = own_cpu_s() - cpu
    stop.set()
    await task
    latencies = sorted((acked[event_id] - at) * 1000 for event_id, at in written["committed"])
    return {
        "committed_per_s": written["rate"],
        "p50_ms": statistics.median(latencies),
        "p99_ms": latencies[int(len(latencies) * 0.99)],
        "max_ms": latencies[-1],
        "relay_cpu_us": used / len(latencies) * 1e6,
    }


async def drain(where: Place, backlog: int) -> dict[str, float]:
    """Records a second from a backlog to acknowledged and logged."""
    await where.pool.execute(
        """INSERT INTO commerce.outbox (lane, event_id, topic, key, type, body, occurred_at, aggregate_version,
                                        correlation_id, causation_id)
           SELECT n % 8, gen_random_uuid(), $1, (n % 5000)::text, 'sampan.commerce.v1.OrderPlaced', $2, now(), n,
                  gen_random_uuid()::text, gen_random_uuid()::text
           FROM generate_series(1, $3::int) AS n""",
        TOPIC,
        order(1).SerializeToString(),
        backlog,
    )
    relay = Relay(dsn=where.dsn, config=CONFIG, kafka=where.kafka, wakeups=Wakeups(where.dsn, "commerce"))
    stop = asyncio.Event()
    cpu, began = own_cpu_s(), time.monotonic()
    task = asyncio.create_task(relay.run(stop))
    empty = "SELECT NOT EXISTS (SELECT FROM commerce.outbox)"
    await eventually(lambda: where.pool.fetchval(empty), timeout_s=300, every_s=0.05)
    took, used = time.monotonic() - began, own_cpu_s() - cpu
    stop.set()
    await task
    return {"records_per_s": backlog / took, "relay_cpu_us": used / backlog * 1e6}


async def bare(where: Place, records: int) -> dict[str, float]:
    """The reference: the same records by ``AIOKafkaProducer.send``, from memory."""
    producer = AIOKafkaProducer(
        **where.kafka.connection(),
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=512 * 1024,
        linger_ms=5,
    )
    await producer.start()
    value = order(1).SerializeToString()
    cpu, began = own_cpu_s(), time.monotonic()
    for first in range(0, records, 2_000):
        futures = [
            await producer.send(
                where.kafka.topic_prefix + TOPIC, value, key=str(number % 5_000).encode(), headers=headers(number)
            )
            for number in range(first, min(records, first + 2_000))
        ]
        await asyncio.gather(*futures)
    took, used = time.monotonic() - began, own_cpu_s() - cpu
    await producer.stop()
    return {"records_per_s": records / took, "cpu_us": used / records * 1e6}


def headers(number: int) -> list[tuple[str, bytes]]:
    identity = str(uuid.uuid4()).encode()
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", identity),
        ("ce_type", b"sampan.commerce.v1.OrderPlaced"),
        ("ce_source", b"commerce"),
        ("ce_subject", str(number).encode()),
        ("ce_time", b"2026-01-01T00:00:00+00:00"),
        ("content-type", b"application/protobuf"),
        ("correlation_id", identity),
        ("causation_id", identity),
    ]


async def settings(where: Place) -> dict[str, str]:
    shown = {}
    for name in ("server_version", "fsync", "synchronous_commit"):
        shown[name] = await where.pool.fetchval(f"SHOW {name}")
    return shown


async def bench(rate: int, seconds: float, backlog: int, rounds: int) -> None:
    async with place() as where:
        print(
            f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {await settings(where)}; "
            f"{EVENTS_PER_COMMIT} events a commit, {WRITERS} writers, acks=all, {PARTITIONS} partitions"
        )
        for _ in range(rounds):
            reference = await bare(where, backlog)
            drained = await drain(where, backlog)
            print(
                f"drain {drained['records_per_s']:9,.0f}/s  {drained['relay_cpu_us']:5.1f} µs CPU a record | "
                f"bare producer {reference['records_per_s']:9,.0f}/s  {reference['cpu_us']:5.1f} µs | "
                f"ratio {drained['records_per_s'] / reference['records_per_s']:.2f} | load {os.getloadavg()[0]:.1f}"
            )
        for _ in range(rounds):
            figures = await steady(where, rate, seconds)
            print(
                f"commit→ack at {figures['committed_per_s']:,.0f}/s: p50 {figures['p50_ms']:.1f} ms  "
                f"p99 {figures['p99_ms']:.1f} ms  max {figures['max_ms']:.1f} ms  "
                f"{figures['relay_cpu_us']:.0f} µs CPU a record | load {os.getloadavg()[0]:.1f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2_000, help="events a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--backlog", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--writer", metavar="DSN", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.writer:
        uvloop.run(write(arguments.writer, arguments.rate, arguments.seconds))
    else:
        uvloop.run(bench(arguments.rate, arguments.seconds, arguments.backlog, arguments.rounds))


if __name__ == "__main__":
    main()
