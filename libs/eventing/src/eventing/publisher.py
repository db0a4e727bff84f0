"""Outbox rows to Kafka: one batch a partition and round, so that nothing later can overtake a failed batch.

Building batches here instead of calling ``send`` per record is what makes the drain rate: no future and no coroutine
per record. A producer that failed is killed, never reused: after a failed idempotent batch its sequence numbers have a
gap, and what it still buffers must not reach the log behind its successor's back.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerClosed
from aiokafka.partitioner import murmur2

from eventing.clients import ask_brokers, dead_task
from eventing.clients import kill as kill_client
from eventing.envelope import Row, cloud_event_headers, unpack_headers
from eventing.faults import faultpoint
from eventing.kafka import KafkaConfig, make_producer
from eventing.metrics import PRODUCER_REBUILDS
from kernel.tasks import stop_tasks, within

log = structlog.get_logger(__name__)

TOPIC_LOOKUP_S: Final = 0.5
TOPIC_RETRY_S: Final = 1.0
TOPIC_TOLD_S: Final = 10.0  # longer than an idle relay's poll, so that the problem stands between two looks


@dataclass(slots=True)
class Report:
    """What became of the rows of one round. Rows in no list were not sent and come again."""

    acked: list[Row] = field(default_factory=list)
    refused: list[tuple[Row, BaseException]] = field(default_factory=list)
    unknown: list[Row] = field(default_factory=list)  # no answer in time: on the log or not


@dataclass(slots=True)
class _Batch:
    builder: Any
    rows: list[Row] = field(default_factory=list)
    full: bool = False


class Publisher:
    """Owns one producer at a time."""

    def __init__(self, kafka: KafkaConfig, *, schema: str, source: str, ack_timeout_s: float) -> None:
        self._kafka = kafka
        self._schema = schema
        self._source = source
        self._ack_timeout_s = ack_timeout_s
        self._producer: AIOKafkaProducer | None = None
        self._missing: dict[str, float] = {}  # topic → when to look again

    def missing_topics(self) -> list[str]:
        """Topics that did not exist, or might not be written, a moment ago."""
        return self._missing_after(time.monotonic() - TOPIC_TOLD_S)

    def resting_topics(self) -> list[str]:
        """The missing topics that are not yet looked for again; their rows wait."""
        return self._missing_after(time.monotonic())

    def _missing_after(self, moment: float) -> list[str]:
        return [topic for topic, retry_at in self._missing.items() if retry_at > moment]

    async def connect(self) -> None:
        """Reach the cluster before there is anything to send. Raises as ``publish`` does."""
        await self._started()

    async def publish(self, rows: Sequence[Row]) -> Report:
        """Send rows, each partition's in their order, and wait for every acknowledgement.

        Raises ``KafkaError`` or ``OSError`` when the cluster cannot be reached.
        """
        producer = await self._started()
        batches, unbuilt = await self._batches(producer, rows)
        faultpoint("relay.before_produce")
        sent: dict[asyncio.Future[Any], list[Row]] = {}
        for tp, batch in batches.items():
            batch.builder.close()
            future = await producer.send_batch(batch.builder, tp.topic, partition=tp.partition)
            future.add_done_callback(_retrieve)
            sent[future] = batch.rows
        faultpoint("relay.after_produce")
        if sent:
            await asyncio.wait(sent, timeout=self._ack_timeout_s)
        report = _report(sent)
        faultpoint("relay.after_ack")
        if report.refused or report.unknown:
            await self.kill("refused" if report.refused else "ack_timeout")
        report.refused.extend(unbuilt)
        return report

    async def kill(self, reason: str) -> None:
        """Drop the producer with everything it still buffers."""
        producer, self._producer = self._producer, None
        if producer is not None:
            PRODUCER_REBUILDS.labels(self._schema, reason).inc()
            log.warning("producer_killed", schema=self._schema, reason=reason)
            await _kill(producer)

    async def close(self) -> None:
        """Nothing is in flight between rounds, so there is nothing to flush."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _kill(producer)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is not None and (dead := dead_task(self._producer)) is not None:
            log.warning("producer_died", schema=self._schema, task=dead)
            await self.kill("died")
        if self._producer is None:
            producer = make_producer(self._kafka)
            try:
                await within(self._ack_timeout_s, producer.start())
            except BaseException:
                await _kill(producer)
                raise
            self._producer = producer
        return self._producer

    async def _batches(
        self, producer: AIOKafkaProducer, rows: Sequence[Row]
    ) -> tuple[dict[TopicPartition, _Batch], list[tuple[Row, BaseException]]]:
        """Batches by partition, and rows no record can be made of: with them their partition's batch ends."""
        batches: dict[TopicPartition, _Batch] = {}
        unbuilt: list[tuple[Row, BaseException]] = []
        partitions: dict[str, int] = {}
        for row in rows:
            topic = row["topic"]
            count = partitions.get(topic)
            if count is None:
                count = partitions[topic] = await self._partition_count(producer, topic)
            if count == 0:
                continue
            key = row["key"].encode()
            tp = TopicPartition(self._kafka.topic_prefix + topic, _partition(key, count))
            batch = batches.get(tp)
            if batch is None:
                batch = batches[tp] = _Batch(producer.create_batch())
            if batch.full:
                continue
            try:
                appended = self._append(batch.builder, row, key)
            except Exception as error:  # noqa: BLE001 -- one row must not stop all others
                unbuilt.append((row, error))
                appended = False
            if appended:
                batch.rows.append(row)
            else:
                batch.full = True  # this row and all later ones of the partition wait for the next round
        return {tp: batch for tp, batch in batches.items() if batch.rows}, unbuilt

    def _append(self, builder: Any, row: Row, key: bytes) -> bool:
        headers = unpack_headers(row["headers"]) if row["type"] is None else cloud_event_headers(row, self._source)
        timestamp_ms = int(row["occurred_at"].timestamp() * 1000)
        appended = builder.append(timestamp=timestamp_ms, key=key, value=row["body"], headers=headers)
        return appended is not None

    async def _partition_count(self, producer: AIOKafkaProducer, topic: str) -> int:
        name = self._kafka.topic_prefix + topic
        known = producer.client.cluster.partitions_for_topic(name)
        if known is None and topic in self._missing:
            producer.client.force_metadata_update()  # seen at the next look; nobody waits for it
        elif known is None:
            known = await _look_up(producer, name)
            if not known:
                log.warning("topic_missing", topic=name)
        if not known:
            self._missing[topic] = time.monotonic() + TOPIC_RETRY_S
            return 0
        self._missing.pop(topic, None)
        return len(known)


async def _look_up(producer: AIOKafkaProducer, name: str) -> set[int] | None:
    """A topic's partitions; None where a broker says that there is no such topic, or shows none to us."""
    known: set[int] | None
    try:
        known = await within(TOPIC_LOOKUP_S, producer.partitions_for(name))
    except (TimeoutError, KafkaError):
        known = (await ask_brokers(producer.client)).partitions_for_topic(name)
    return known


@lru_cache(maxsize=65_536)
def _partition(key: bytes, count: int) -> int:
    """The partition any Kafka client of any language chooses for this key."""
    chosen: int = (murmur2(key) & 0x7FFF_FFFF) % count
    return chosen


def _report(sent: Mapping[asyncio.Future[Any], list[Row]]) -> Report:
    report = Report()
    for future, rows in sent.items():
        if not future.done() or future.cancelled():
            report.unknown.extend(rows)
            continue
        error = future.exception()
        if error is None:
            report.acked.extend(rows)
        else:
            report.refused.extend((row, error) for row in rows)
    return report


def _retrieve(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


async def _kill(producer: AIOKafkaProducer) -> None:
    """Stop a producer without flushing it. ``stop()`` would first deliver what is buffered."""
    producer._closed = True  # noqa: SLF001
    accumulator, sender = producer._message_accumulator, producer._sender  # noqa: SLF001
    accumulator._closed = True  # noqa: SLF001
    kill_client(producer)  # at once, whatever becomes of the awaits below
    if sender.sender_task is not None:
        await stop_tasks(sender.sender_task, timeout_s=2)
    with contextlib.suppress(TimeoutError, KafkaError, OSError):
        await within(2, producer.client.close())
    accumulator.fail_all(ProducerClosed())
