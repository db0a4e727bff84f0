"""Watches every topic from now on and gathers the records of one flow by their correlation id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from google.protobuf.message import Message

from contracts.registry import record_type
from demo.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One record as it passed by."""

    topic: str
    type: str  # short name, e.g. OrderPaid
    source: str
    time: datetime
    key: str
    correlation_id: str
    body: Message


class Watcher:
    """Keeps all records seen since it began; wakes whoever waits for one."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._news = asyncio.Condition()

    async def first(self, wanted: Callable[[Seen], bool], *, timeout_s: float = 20.0) -> Seen:
        """The first record that fits, seen already or still to come. Raises ``TimeoutError``."""
        async with asyncio.timeout(timeout_s), self._news:
            while True:
                for each in self.seen:
                    if wanted(each):
                        return each
                await self._news.wait()

    def flow(self, correlation_id: str) -> list[Seen]:
        """Everything of one flow so far, by the time it was written."""
        return sorted((each for each in self.seen if each.correlation_id == correlation_id), key=lambda each: each.time)

    async def read(self, consumer: AIOKafkaConsumer) -> None:
        """Read until cancelled."""
        async for record in consumer:
            async with self._news:
                self.seen.append(_seen(record))
                self._news.notify_all()


@asynccontextmanager
async def watching(facts: Facts) -> AsyncIterator[Watcher]:
    """A watcher that has begun: records written from now on are seen."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=facts.kafka_bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=facts.kafka_mechanism,
        sasl_plain_username=facts.kafka_username,
        sasl_plain_password=facts.kafka_password,
        auto_offset_reset="latest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.subscribe(pattern=r"^(public|private)\..*\.v\d+$")
        while not consumer.assignment():  # noqa: ASYNC110 -- the client has no event for it
            await asyncio.sleep(0.05)
        for partition in consumer.assignment():
            await consumer.position(partition)
        watcher = Watcher()
        reading = asyncio.create_task(watcher.read(consumer))
        yield watcher
        reading.cancel()
    finally:
        await consumer.stop()


def _seen(record: ConsumerRecord[bytes, bytes]) -> Seen:
    headers = {name: value.decode() for name, value in record.headers}
    kind = record_type(headers["ce_type"])
    return Seen(
        topic=record.topic,
        type=kind.short_name,
        source=headers["ce_source"].rpartition("/")[2],
        time=datetime.fromisoformat(headers["ce_time"]),
        key=(record.key or b"").decode(),
        correlation_id=headers.get("correlation_id", ""),
        body=kind.message.FromString(record.value or b""),
    )
