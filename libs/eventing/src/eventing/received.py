"""A Kafka record as the consumer holds it: what it is, what to do with it, and its bytes for the dead letters."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID

from aiokafka import ConsumerRecord, TopicPartition

from eventing.envelope import Headers, MalformedError, header_texts, open_envelope, read_message
from eventing.message import Message
from eventing.subscriptions import Handler, Subscriptions
from kernel.ids import derived_id

RECORD_BYTES_MAX: Final = 1024 * 1024


@dataclass(slots=True, eq=False)
class Received:
    """One record on its way through the consumer. Either ``message`` or ``malformed`` is set."""

    tp: TopicPartition
    topic: str
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    id: UUID
    type: str
    message: Message[Any] | None
    handler: Handler | None
    malformed: str | None
    attempts: int = 0
    error: BaseException | None = None

    @property
    def ordering_key(self) -> tuple[str, bytes] | None:
        """Records that share it are handled in order; None for a record without key or without known type."""
        if self.key is None or self.handler is None:
            return None
        return (self.topic, self.key)


def receive(
    record: ConsumerRecord[bytes | None, bytes | None], topic: str, subscriptions: Subscriptions[Any], bytes_max: int
) -> Received | None:
    """Read a record. None when nobody subscribed to its type; never raises for what the record holds."""
    headers = record.headers or ()
    texts = header_texts(headers)
    type_name = texts.get("ce_type", "")
    subscription = subscriptions.find(topic, type_name)
    if subscription is None and type_name:
        return None
    handler = subscription.handler if subscription else None
    message, malformed = None, None
    event_id: UUID | None = None
    try:
        envelope = open_envelope(texts)
        event_id = envelope.id
        if record.value is not None and len(record.value) > bytes_max:
            malformed = f"the value has {len(record.value)} bytes, the limit is {bytes_max}"
        elif subscription is not None:
            message = read_message(
                envelope,
                subscription.body,
                topic=topic,
                partition=record.partition,
                offset=record.offset,
                key=(record.key or b"").decode("utf-8", "backslashreplace"),
                value=record.value,
            )
    except MalformedError as error:
        malformed = str(error)
    return Received(
        tp=TopicPartition(record.topic, record.partition),
        topic=topic,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=headers,
        # A record without a readable id gets one from its place, the same at every delivery.
        id=event_id or derived_id(NAMESPACE_URL, f"{topic}/{record.partition}/{record.offset}"),
        type=type_name,
        message=message,
        handler=handler,
        malformed=malformed,
    )


def age_s(message: Message[Any]) -> float:
    """Seconds since the record was written."""
    return max(0.0, time.time() - message.time.timestamp())
