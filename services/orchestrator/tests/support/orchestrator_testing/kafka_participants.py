"""Commerce and payment as scripted participants on real Kafka: they answer commands, well or badly.

They keep their part of the contract (stored replies, tombstones) through the ``Participants`` model; the network
between them and the engine is what misbehaves: commands lost or handled twice, replies lost, doubled, late and out
of order. Everything random comes from one seed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from google.protobuf.message import Message

from eventing import KafkaConfig, topic_of
from eventing.clients import close_consumer
from kernel.ids import derived_id, uuid7
from kernel.tasks import stop_tasks
from orchestrator_testing.participants import Answer, Participants
from sampan.commerce.v1 import commands_pb2 as commerce
from sampan.orchestrator.v1.commands_pb2 import CancelOrderPayment, StartOrderPayment
from sampan.orchestrator.v1.reply_pb2 import OUTCOME_REJECTED, OUTCOME_SUCCEEDED, CommandReply
from sampan.orchestrator.v1.saga_pb2 import SagaEnded, SagaNeedsOperator, SagaStarted
from sampan.payment.v1 import commands_pb2 as payment

_CLOSE_S: Final = 10.0
SAGA_TOPIC: Final = "public.orchestrator.saga.v1"
COMMAND_TOPICS: Final = ("private.commerce.commands.v1", "private.payment.commands.v1")
_COMMANDS: Final[dict[str, type[Message]]] = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (
        commerce.ReserveStock,
        commerce.ReleaseStock,
        commerce.ConfirmOrder,
        commerce.MarkOrderPaid,
        commerce.CompleteOrder,
        commerce.CancelOrder,
        payment.AuthorizePayment,
        payment.VoidPayment,
        payment.CapturePayment,
        payment.PayOrder,
        payment.ReturnPayment,
        payment.SettlePayment,
    )
}
_EVENTS: Final[dict[str, type[Message]]] = {
    kind.DESCRIPTOR.full_name: kind for kind in (SagaStarted, SagaEnded, SagaNeedsOperator)
}


@dataclass(slots=True, kw_only=True)
class Mischief:
    """Shares between 0 and 1, and how late a late reply is, in seconds."""

    seed: int = 0
    command_lost: float = 0.0
    command_twice: float = 0.0
    reply_lost: float = 0.0
    reply_twice: float = 0.0
    reply_late: float = 0.0
    late_s: float = 0.5
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def happens(self, share: float) -> bool:
        return share > 0 and self.random.random() < share


class KafkaParticipants(AbstractAsyncContextManager["KafkaParticipants"]):
    """Both participants in this event loop, and an ear on the saga events. ``ended`` maps checkout to status."""

    def __init__(
        self,
        kafka: KafkaConfig,
        model: Participants | None = None,
        mischief: Mischief | None = None,
        on_command: Callable[[Message, UUID], None] = lambda _body, _command_id: None,
    ) -> None:
        self.model = model or Participants()
        self.mischief = mischief or Mischief()
        self.ended: dict[str, str] = {}
        self.end_count: dict[str, int] = {}
        self.started_at: dict[str, float] = {}
        self.latency_s: list[float] = []
        self.needs_operator: list[SagaNeedsOperator] = []
        self.commands_seen = 0
        self.muted = False
        self.on_command = on_command
        self._kafka = kafka
        self._expected: dict[str, asyncio.Future[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(**self._kafka.connection(), linger_ms=2, acks=1)
        await self._producer.start()
        self._consumer = AIOKafkaConsumer(**self._kafka.connection(), enable_auto_commit=False)
        await self._consumer.start()
        prefix = self._kafka.topic_prefix
        wanted = []
        for topic in (*COMMAND_TOPICS, SAGA_TOPIC):
            partitions = await self._partitions(prefix + topic)
            wanted += [TopicPartition(prefix + topic, number) for number in partitions]
        self._consumer.assign(wanted)
        await self._consumer.seek_to_end(*wanted)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await stop_tasks(self._reading, *self._tasks)
        await close_consumer(self._consumer, _CLOSE_S)
        await self._producer.stop()

    async def start_saga(self, checkout: StartOrderPayment) -> None:
        """What commerce does when an order is placed."""
        self.model.placed(checkout)
        self.started_at[checkout.checkout_id] = asyncio.get_running_loop().time()
        await self.send(checkout, checkout.checkout_id)

    def expect(self, checkout_id: str) -> asyncio.Future[str]:
        """Resolves to the saga's status when its end is heard."""
        future = asyncio.get_running_loop().create_future()
        self._expected[checkout_id] = future
        return future

    async def cancel(self, checkout_id: str) -> None:
        await self.send(CancelOrderPayment(checkout_id=checkout_id, reason="buyer"), checkout_id)

    async def send(
        self,
        body: Message,
        key: str,
        *,
        event_id: UUID | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        topic: str | None = None,
        value: bytes | None = None,
    ) -> None:
        """One record, acknowledged."""
        topic = topic or topic_of(type(body))
        await self._producer.send_and_wait(
            self._kafka.topic_prefix + topic,
            key=key.encode(),
            value=body.SerializeToString() if value is None else value,
            headers=[*_envelope(body, event_id or uuid7()), *headers],
        )

    async def reply(self, saga_id: str, command_id: UUID, answer: Answer, *, participant: str) -> None:
        """Answer a command the way a participant's outbox would."""
        body = CommandReply(
            reply_key=saga_id,
            command_id=str(command_id),
            outcome=OUTCOME_SUCCEEDED if answer.succeeded else OUTCOME_REJECTED,
            code=answer.code,
        )
        await self._producer.send(
            f"{self._kafka.topic_prefix}private.{participant}.replies.v1",
            key=saga_id.encode(),
            value=body.SerializeToString(),
            headers=[
                *_envelope(body, derived_id(command_id, "reply")),
                ("causation_id", str(command_id).encode()),
            ],
        )

    async def _partitions(self, topic: str) -> set[int]:
        async with asyncio.timeout(10):
            while True:
                partitions = self._consumer.partitions_for_topic(topic)
                if partitions:
                    return set(partitions)
                await self._consumer._client.force_metadata_update()
                await asyncio.sleep(0.05)

    async def _read(self) -> None:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=1000, max_records=500)).values():
                for record in records:
                    await self._take(record)

    async def _take(self, record: Any) -> None:
        headers = {name: value.decode() for name, value in record.headers}
        event = _EVENTS.get(headers["ce_type"])
        if event is not None:
            self._hear(event.FromString(record.value))
            return
        body = _COMMANDS[headers["ce_type"]].FromString(record.value)
        command_id = UUID(headers["ce_id"])
        self.commands_seen += 1
        self.on_command(body, command_id)
        if self.muted or self.mischief.happens(self.mischief.command_lost):
            return
        participant = record.topic.split(".")[-3]
        for _ in range(1 + self.mischief.happens(self.mischief.command_twice)):
            answer = self.model.handle(body, command_id)
            await self._answer(headers["reply_key"], command_id, answer, participant)

    async def _answer(self, saga_id: str, command_id: UUID, answer: Answer, participant: str) -> None:
        if self.mischief.happens(self.mischief.reply_lost):
            return
        for _ in range(1 + self.mischief.happens(self.mischief.reply_twice)):
            if self.mischief.happens(self.mischief.reply_late):
                delay_s = self.mischief.random.uniform(0, self.mischief.late_s)
                task = asyncio.create_task(self._later(delay_s, saga_id, command_id, answer, participant))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                await self.reply(saga_id, command_id, answer, participant=participant)

    async def _later(self, delay_s: float, saga_id: str, command_id: UUID, answer: Answer, participant: str) -> None:
        await asyncio.sleep(delay_s)
        await self.reply(saga_id, command_id, answer, participant=participant)

    def _hear(self, event: Message) -> None:
        if isinstance(event, SagaEnded):
            self.ended[event.business_key] = event.status
            self.end_count[event.business_key] = self.end_count.get(event.business_key, 0) + 1
            started = self.started_at.pop(event.business_key, None)
            if started is not None:
                self.latency_s.append(asyncio.get_running_loop().time() - started)
            expected = self._expected.pop(event.business_key, None)
            if expected is not None and not expected.done():
                expected.set_result(event.status)
        elif isinstance(event, SagaNeedsOperator):
            self.needs_operator.append(event)


def _envelope(body: Message, event_id: UUID) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event_id).encode()),
        ("ce_type", body.DESCRIPTOR.full_name.encode()),
        ("ce_source", b"testing"),
        ("ce_time", datetime.now(UTC).isoformat().encode()),
        ("correlation_id", str(event_id).encode()),
    ]
