"""One database and one topic prefix per test: nothing here is shared with what runs beside it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import uuid
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic

from eventing import Consumer, KafkaConfig, OutboxConfig, Relay, Wakeups, tables
from testkit.databases import with_database
from testkit.topics import admin_client
from testkit.transaction import begin_on

TOPICS = {
    "public.commerce.order.v1": 3,
    "public.commerce.shop.v1": 3,
    "private.commerce.commands.v1": 3,
    "private.commerce.replies.v1": 3,
    "private.commerce.dlq.v1": 1,
}


@dataclass
class World:
    """A schema with eventing's tables, a pool on it, and topics of its own."""

    dsn: str
    pool: asyncpg.Pool
    config: OutboxConfig
    kafka: KafkaConfig
    wakeups: Wakeups

    def __post_init__(self):
        self.begin = begin_on(self.pool, self.config, self.wakeups)

    def relay(self, **tuning):
        return Relay(dsn=self.dsn, config=self.config, kafka=self.kafka, wakeups=self.wakeups, **tuning)

    def consumer(self, subscriptions, **tuning):
        return Consumer(subscriptions, begin=self.begin, config=self.config, kafka=self.kafka, **tuning)

    async def publish(self, *bodies, **arguments):
        async with self.begin() as tx:
            return [tx.outbox.add(body, **arguments) for body in bodies]

    async def count(self, table, where="true"):
        return await self.pool.fetchval(f"SELECT count(*) FROM commerce.{table} WHERE {where}")

    async def log_of(self, topic):
        """Every record of a topic, in partition order."""
        name = self.kafka.topic_prefix + topic
        consumer = AIOKafkaConsumer(**self.kafka.connection(), auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = [TopicPartition(name, number) for number in range(TOPICS[topic])]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            records = []
            for tp in partitions:
                await consumer.seek_to_beginning(tp)
            while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                for got in (await consumer.getmany(timeout_ms=200)).values():
                    records.extend(got)
            return sorted(records, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    async def group_offsets(self, topic, group="commerce"):
        """Sum of the offsets the group has committed on a topic."""
        cluster = admin_client(self.kafka)
        await cluster.start()
        try:
            offsets = await cluster.list_consumer_group_offsets(self.kafka.topic_prefix + group)
        finally:
            await cluster.close()
        name = self.kafka.topic_prefix + topic
        return sum(found.offset for tp, found in offsets.items() if tp.topic == name and found.offset > 0)

    async def make_effects(self):
        await self.pool.execute("""
            CREATE TABLE commerce.effect (n bigserial, event_id uuid, key text, number bigint);
            CREATE TABLE commerce.business (number bigint)""")

    async def effects(self):
        """Numbers of the effects of each key, in the order they committed."""
        numbers = defaultdict(list)
        for row in await self.pool.fetch("SELECT key, number FROM commerce.effect ORDER BY n"):
            numbers[row["key"]].append(row["number"])
        return dict(numbers)

    async def published(self, topic="public.commerce.order.v1"):
        """aggregate_version of each key's records, first occurrences only, in the order of the log."""
        numbers, seen = defaultdict(list), set()
        for record in await self.log_of(topic):
            headers = dict(record.headers)
            if headers["ce_id"] not in seen:
                seen.add(headers["ce_id"])
                numbers[record.key.decode()].append(int(headers["aggregate_version"]))
        return dict(numbers)

    @contextlib.asynccontextmanager
    async def child(self, role, *, fault="", **facts):
        """A child process of that role; killed at the end of the block."""
        told = {"dsn": self.dsn, "kafka": asdict(self.kafka), **facts}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("child.py")),
            role,
            env={**os.environ, "SAMPAN_FAULT": fault, "EVENTING_CHILD": json.dumps(told)},
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                    process.kill()
                await process.wait()


@contextlib.asynccontextmanager
async def running(*runners):
    """The runners at work for the length of the block; they drain at its end."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(runner.run(stop)) for runner in runners]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)


@pytest.fixture(name="running")
def running_fixture():
    return running


@contextlib.asynccontextmanager
async def make_world(postgres_admin_dsn, kafka_admin):
    name = f"t_eventing_{uuid.uuid4().hex[:10]}"
    admin = await asyncpg.connect(postgres_admin_dsn)
    await admin.execute(f'CREATE DATABASE "{name}"')
    dsn = with_database(postgres_admin_dsn, name)
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=12)
    await pool.execute("CREATE SCHEMA commerce")
    for statement in (*tables.upgrade("commerce"), *tables.functions("commerce").values()):
        await pool.execute(statement)
    kafka = replace(kafka_admin, topic_prefix=f"t{uuid.uuid4().hex[:10]}.", client_id="eventing-test")
    cluster = admin_client(kafka)
    await cluster.start()
    names = [kafka.topic_prefix + topic for topic in TOPICS]
    await cluster.create_topics(
        [NewTopic(kafka.topic_prefix + topic, partitions, 1) for topic, partitions in TOPICS.items()]
    )
    config = OutboxConfig(schema="commerce", source="commerce")
    wakeups = Wakeups(dsn, "commerce")
    try:
        yield World(dsn, pool, config, kafka, wakeups)
    finally:
        await wakeups.close()
        await pool.close()
        await cluster.delete_topics(names)
        await cluster.close()
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


@pytest.fixture
async def world(postgres_admin_dsn, kafka_admin):
    async with make_world(postgres_admin_dsn, kafka_admin) as made:
        yield made


@pytest.fixture
def worlds(postgres_admin_dsn, kafka_admin):
    """For tests that need several, side by side."""
    return lambda: make_world(postgres_admin_dsn, kafka_admin)
