"""OpenTelemetry context from the transaction that wrote a record into the span that handles it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import context, trace
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from eventing.message import Message
from kernel.correlation import flow

_tracer: Final = trace.get_tracer("eventing")
_propagator: Final = TraceContextTextMapPropagator()


def current_traceparent() -> str | None:
    """W3C traceparent of the running span; None outside of any."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


@contextmanager
def in_flow_of(message: Message[Any]) -> Iterator[None]:
    """Run the block as caused by ``message``: its correlation, and its trace unless a span of it is running.

    Batch handlers use it around what they do for one message.
    """
    traceparent = message.headers.get("traceparent")
    token = None
    if traceparent is not None and traceparent[3:35] != (current_traceparent() or "")[3:35]:
        token = context.attach(_propagator.extract({"traceparent": traceparent}))
    try:
        with flow(message.correlation_id, str(message.id)):
            yield
    finally:
        if token is not None:
            context.detach(token)


@contextmanager
def consuming(consumer: str, message: Message[Any]) -> Iterator[None]:
    """A span around one handler, child of the span that wrote the record."""
    if "traceparent" not in message.headers:
        yield
        return
    parent = _propagator.extract({"traceparent": message.headers["traceparent"]})
    with _tracer.start_as_current_span(
        f"{message.topic} process", context=parent, kind=SpanKind.CONSUMER, attributes=_attributes(consumer, message)
    ):
        yield


@contextmanager
def consuming_batch(consumer: str, messages: Sequence[Message[Any]]) -> Iterator[None]:
    """A span around a batch handler, linked to each span that wrote a record of it."""
    parents = (
        trace.get_current_span(_propagator.extract({"traceparent": message.headers["traceparent"]})).get_span_context()
        for message in messages
        if "traceparent" in message.headers
    )
    links = [Link(parent) for parent in parents if parent.is_valid]
    if not links:
        yield
        return
    with _tracer.start_as_current_span(
        f"{messages[0].topic} process",
        kind=SpanKind.CONSUMER,
        links=links,
        attributes={"messaging.batch.message_count": len(messages), "messaging.consumer.group.name": consumer},
    ):
        yield


def _attributes(consumer: str, message: Message[Any]) -> dict[str, Any]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": message.topic,
        "messaging.destination.partition.id": str(message.partition),
        "messaging.kafka.offset": message.offset,
        "messaging.message.id": str(message.id),
        "messaging.consumer.group.name": consumer,
        "sampan.event_type": message.type,
        "sampan.correlation_id": message.correlation_id,
    }
