"""OpenTelemetry context from the transaction that wrote a record into the span that handles it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanContext, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from eventing.message import Message
from kernel.correlation import InFlow, flow, same_flow

_tracer: Final = trace.get_tracer("eventing")
_propagator: Final = TraceContextTextMapPropagator()
_SAMPLED: Final = frozenset("13579bdf")  # last digit of the flags: the lowest bit
_running: ContextVar[Mapping[UUID, Span]] = ContextVar("eventing_spans", default=MappingProxyType({}))


def current_traceparent() -> str | None:
    """W3C traceparent of the running span; None outside of any."""
    span = trace.get_current_span().get_span_context()
    return _traceparent(span) if span.is_valid else None


@contextmanager
def in_flow_of(message: Message[Any]) -> Iterator[None]:
    """Run the block as caused by ``message``: its correlation, and its trace unless a span of it is running.

    Batch handlers use it around what they do for one message; what they publish there is caused by its span.
    """
    around = _context_of(message)
    token = None if around is None else context.attach(around)
    try:
        with flow(message.correlation_id, str(message.id)):
            yield
    finally:
        if token is not None:
            context.detach(token)


def flows_of(causes: Mapping[UUID, Message[Any]]) -> InFlow:
    """``in_flow_of`` by the id of what a message is about; anything else belongs to the flow that is running."""

    def in_flow(about: UUID | None) -> AbstractContextManager[None]:
        cause = causes.get(about) if about is not None else None
        return same_flow(about) if cause is None else in_flow_of(cause)

    return in_flow


def traceparent_of(message: Message[Any]) -> str | None:
    """What continues the message's trace: its running span where there is one, else the span that wrote it."""
    span = _running.get().get(message.id)
    if span is None:
        return message.headers.get("traceparent")
    return _traceparent(span.get_span_context())


@contextmanager
def consuming(consumer: str, messages: Sequence[Message[Any]]) -> Iterator[None]:
    """A span for each message whose trace is recorded, child of the span that wrote it, around their one handler.

    A message has its span in the trace it came from, also in a batch; a batch has none of its own.
    """
    spans = {message.id: span for message in messages if (span := _start(consumer, message, len(messages)))}
    if not spans:
        yield
        return
    before = _running.set(spans)
    try:
        yield
    except Exception as error:
        for span in spans.values():
            span.record_exception(error)
            span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        _running.reset(before)
        for span in spans.values():
            span.end()


def _start(consumer: str, message: Message[Any], batch: int) -> Span | None:
    traceparent = message.headers.get("traceparent", "")
    if traceparent[-1:] not in _SAMPLED:
        return None
    attributes = _attributes(consumer, message)
    if batch > 1:
        attributes["messaging.batch.message_count"] = batch
    return _tracer.start_span(
        f"{message.topic} process",
        context=_propagator.extract({"traceparent": traceparent}),
        kind=SpanKind.CONSUMER,
        attributes=attributes,
    )


def _context_of(message: Message[Any]) -> context.Context | None:
    """The message's running span, else the span that wrote it; None when a span of its trace is current."""
    span = _running.get().get(message.id)
    if span is not None:
        return trace.set_span_in_context(span)
    traceparent = message.headers.get("traceparent")
    if traceparent is None or traceparent[3:35] == (current_traceparent() or "")[3:35]:
        return None
    return _propagator.extract({"traceparent": traceparent})


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


def _traceparent(span: SpanContext) -> str:
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{int(span.trace_flags):02x}"
