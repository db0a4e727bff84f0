"""Two Kafka clients read a topic and publish to one: records a second, CPU a record; and how many outlive resets.

aiokafka as libs/eventing uses it, and confluent-kafka with a thread, as asyncio would need it; alternated in one run,
on uvloop. Publishing is the relay's: rounds of 500 records to 6 partitions, idempotent, all acknowledged before the
next. Resets pass a proxy, to which aiokafka alone can be turned (brokers tell clients their own address): as it comes,
and with the guard of ``eventing.clients``.

``python bench/kafka_clients.py [--records 200000] [--resets 400]``, with ``--resets 0`` without the second half
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiokafka.client
import aiokafka.conn
import confluent_kafka
import uvloop
from aiokafka.admin import NewTopic
from cpu import own_cpu_s

from eventing import KafkaConfig, clients
from eventing.kafka import make_consumer, make_producer
from testkit.infra import local_infra
from testkit.resets import ResettingProxy
from testkit.topics import admin_client

PARTITIONS = 6
BODY = b"x" * 300
AT_ONCE = 500
CLIENTS = 8
TIMESTAMP_MS = 1_767_225_600_000
HEADERS = [("ce_type", b"sampan.bench.v1.Record"), ("ce_id", b"0" * 36), ("correlation_id", b"1" * 36)]


@asynccontextmanager
async def topic_of(records: int) -> AsyncIterator[tuple[KafkaConfig, str]]:
    facts = local_infra()
    kafka = KafkaConfig(
        bootstrap=facts.kafka_bootstrap, username=facts.kafka_username, password=facts.kafka_password, client_id="bench"
    )
    name = f"bench_clients_{uuid.uuid4().hex[:8]}"
    cluster = admin_client(kafka)
    await cluster.start()
    await cluster.create_topics([NewTopic(name, PARTITIONS, 1)])
    producer = make_producer(kafka)
    await producer.start()
    try:
        for _ in range(records // AT_ONCE):
            sent = [await producer.send(name, BODY, partition=n % PARTITIONS) for n in range(AT_ONCE)]
            await asyncio.gather(*sent)
        yield kafka, name
    finally:
        await producer.stop()
        await cluster.delete_topics([name])
        await cluster.close()


async def read_by_aiokafka(kafka: KafkaConfig, topic: str, records: int) -> None:
    consumer = make_consumer(kafka, f"bench-{uuid.uuid4().hex}")
    consumer.subscribe([topic])
    await consumer.start()
    read = 0
    while read < records:
        for got in (await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)).values():
            read += len(got)
    await clients.close_consumer(consumer, 10)


async def read_by_confluent(kafka: KafkaConfig, topic: str, records: int) -> None:
    settings = _connection(kafka) | {
        "group.id": f"bench-{uuid.uuid4().hex}",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
    consumer = confluent_kafka.Consumer(settings)
    consumer.subscribe([topic])
    read = 0
    while read < records:
        for message in await asyncio.to_thread(consumer.consume, AT_ONCE, 1.0):
            message.value(), message.key(), message.headers()  # as a record's reader takes them
            read += message.error() is None
    await asyncio.to_thread(consumer.close)


async def publish_by_aiokafka(kafka: KafkaConfig, topic: str, records: int) -> None:
    producer = make_producer(kafka)
    await producer.start()
    for _ in range(records // AT_ONCE):
        batches = [producer.create_batch() for _ in range(PARTITIONS)]
        for n in range(AT_ONCE):
            batches[n % PARTITIONS].append(timestamp=TIMESTAMP_MS, key=b"%d" % n, value=BODY, headers=HEADERS)
        acks = [await producer.send_batch(batch, topic, partition=at) for at, batch in enumerate(batches)]
        await asyncio.gather(*acks)
    await producer.stop()


async def publish_by_confluent(kafka: KafkaConfig, topic: str, records: int) -> None:
    settings = {"enable.idempotence": True, "compression.type": "lz4", "linger.ms": 0}
    producer = confluent_kafka.Producer(_connection(kafka) | settings)
    acked: list[int] = []

    def told(error: Any, _: Any) -> None:
        acked.append(1 if error is None else 0)

    for _ in range(records // AT_ONCE):
        for n in range(AT_ONCE):
            producer.produce(
                topic, BODY, b"%d" % n, n % PARTITIONS, timestamp=TIMESTAMP_MS, headers=HEADERS, on_delivery=told
            )
        await asyncio.to_thread(producer.flush, 10)
    assert sum(acked) == records


def _connection(kafka: KafkaConfig) -> dict[str, Any]:
    """Where confluent-kafka finds the cluster."""
    settings: dict[str, Any] = {"bootstrap.servers": kafka.bootstrap}
    if kafka.username:
        settings |= {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": kafka.sasl_mechanism,
            "sasl.username": kafka.username,
            "sasl.password": kafka.password,
        }
    return settings


async def measured(work: Callable[[], Awaitable[None]], records: int) -> tuple[float, float]:
    """Records a second, microseconds of CPU a record."""
    began, cpu = time.monotonic(), own_cpu_s()
    await work()
    return records / (time.monotonic() - began), (own_cpu_s() - cpu) / records * 1e6


async def compare(records: int, times: int) -> dict[str, Any]:
    ways = {
        "reading": {"aiokafka": read_by_aiokafka, "confluent-kafka": read_by_confluent},
        "publishing": {"aiokafka": publish_by_aiokafka, "confluent-kafka": publish_by_confluent},
    }
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    async with topic_of(records) as (kafka, topic):
        for what, clients_of in ways.items():
            for _ in range(times):
                for name, work in clients_of.items():
                    took = await measured(lambda work=work: work(kafka, topic, records), records)
                    found.setdefault((what, name), []).append(took)
    return {
        f"{what}, {name}": {
            "records_per_s": round(statistics.median(speed for speed, _ in each)),
            "cpu_us_per_record": round(statistics.median(cpu for _, cpu in each), 1),
        }
        for (what, name), each in found.items()
    }


async def dead_after_resets(kind: Any, resets: int) -> dict[str, int]:
    """Clients whose metadata task has died, of those that lost a connection."""
    setattr(aiokafka.conn, "AIOKafkaConnection", kind)  # noqa: B010 -- as eventing.clients does
    facts = local_infra()
    host, port = facts.kafka_bootstrap.rsplit(":", 1)
    real = aiokafka.client.create_conn
    async with topic_of(AT_ONCE) as (kafka, topic):
        with ResettingProxy(host, int(port)) as proxy:

            async def create_conn(to_host: str, to_port: int, **options: Any) -> Any:
                return await real(to_host, proxy.port if to_port == int(port) else to_port, **options)

            aiokafka.client.create_conn = create_conn
            consumers = [make_consumer(kafka, f"bench-{uuid.uuid4().hex}") for _ in range(CLIENTS)]
            for consumer in consumers:
                consumer.subscribe([topic])
                await consumer.start()
            polls = [asyncio.create_task(_poll(consumer)) for consumer in consumers]
            while proxy.resets < resets:
                await asyncio.sleep(0.4)
                proxy.refuse(True)
                await asyncio.to_thread(proxy.reset)
                await asyncio.sleep(0.1)
                proxy.refuse(False)
            dead = sum(clients.dead_task(consumer) is not None for consumer in consumers)
            for poll in polls:
                poll.cancel()
            await asyncio.wait(polls)
            aiokafka.client.create_conn = real
            for consumer in consumers:
                await clients.close_consumer(consumer, 5)
            return {"resets": proxy.resets, "clients": CLIENTS, "dead": dead}


async def _poll(consumer: Any) -> None:
    while True:
        try:
            await consumer.getmany(timeout_ms=200)
        except Exception:  # noqa: BLE001 -- what a consumer would rebuild for
            await asyncio.sleep(0.2)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--resets", type=int, default=400)
    given = parser.parse_args()
    result: dict[str, Any] = await compare(given.records, given.times)
    if not given.resets:
        print(json.dumps(result, indent=2))
        return
    guarded = clients.Connection
    result["resets, as it comes"] = await dead_after_resets(guarded.__base__, given.resets)
    result["resets, guarded"] = await dead_after_resets(guarded, given.resets)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
