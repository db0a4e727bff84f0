"""OpenTelemetry: spans honour ``traceparent``, and every flow has a trace id even when nothing is exported.

Without an OTLP endpoint no span is recorded: a request then carries the caller's trace id, or a new one, in a span
that costs a microsecond or two. With one, spans go out over OTLP/HTTP in the background.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_NOT_SAMPLED: Final = TraceFlags(TraceFlags.DEFAULT)
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SERVER_ERROR: Final = 500
_ODD: Final = frozenset("13579bdf")
_SPAN_KEY: Final = next(iter(trace.set_span_in_context(trace.INVALID_SPAN, context.Context())))

_tracer: trace.Tracer | None = None


def configure_tracing(
    name: str, *, endpoint: str | None, sample_ratio: float = 1.0, exporter: SpanExporter | None = None
) -> TracerProvider | None:
    """Export spans of this process to ``endpoint`` (OTLP/HTTP, e.g. ``http://127.0.0.1:4318``).

    Returns the provider, whose ``shutdown`` sends what is left; None when nothing is exported.
    """
    global _tracer  # noqa: PLW0603 -- one provider per process is OpenTelemetry's own rule
    _tracer = None
    if exporter is None and not endpoint:
        return None
    provider = _provider(name, exporter or _otlp_exporter(endpoint or ""), sample_ratio)
    trace.set_tracer_provider(provider)
    _tracer = provider.get_tracer("sampan.chassis")
    return provider


def _provider(name: str, exporter: SpanExporter, sample_ratio: float) -> TracerProvider:
    # The SDK takes a tenth of a second and ten megabytes: loaded only where spans are exported.
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    provider = TracerProvider(
        resource=Resource.create({"service.name": name, "service.namespace": "sampan"}),
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _otlp_exporter(endpoint: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 -- as above

    return OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")


class FlowSpan(NonRecordingSpan):
    """A span nobody records. Its numbers are made when somebody asks: a log line, or a record that goes to Kafka."""

    def __init__(self, trace_id: str, *, sampled: bool) -> None:
        self.trace_id, self._sampled = trace_id, sampled
        self._made: SpanContext | None = None

    def get_span_context(self) -> SpanContext:
        if self._made is None:
            flags = _SAMPLED if self._sampled else _NOT_SAMPLED
            self._made = SpanContext(int(self.trace_id, 16), random.getrandbits(64) or 1, False, flags)
        return self._made

    def finish(self, status: int) -> None:
        """Nothing is told of it."""


class ServerSpan:
    """The recorded span of one request."""

    __slots__ = ("_span", "trace_id")

    def __init__(self, span: Span) -> None:
        self._span, self.trace_id = span, f"{span.get_span_context().trace_id:032x}"

    def finish(self, status: int) -> None:
        """Close the span with the answer's status."""
        self._span.set_attribute("http.response.status_code", status)
        if status >= _SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def enter_span(traceparent: str | None, name: str, attributes: Mapping[str, str]) -> FlowSpan | ServerSpan:
    """Start the span of a request and make it current for the running task."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent is not None else None
    if _tracer is not None:
        return _record(_tracer, found, name, attributes)
    if found is None:
        span = FlowSpan(f"{random.getrandbits(128) or 1:032x}", sampled=False)
    else:
        span = FlowSpan(found[1], sampled=found[3][1] in _ODD)
    context.attach(context.Context({_SPAN_KEY: span}))
    return span


def _record(tracer: trace.Tracer, found: re.Match[str] | None, name: str, attributes: Mapping[str, str]) -> ServerSpan:
    around = context.Context()
    if found is not None:
        flags = _SAMPLED if found[3][1] in _ODD else _NOT_SAMPLED
        parent = SpanContext(int(found[1], 16), int(found[2], 16), True, flags)
        around = trace.set_span_in_context(NonRecordingSpan(parent), around)
    span = tracer.start_span(name, context=around, kind=SpanKind.SERVER, attributes=dict(attributes))
    context.attach(trace.set_span_in_context(span))
    return ServerSpan(span)
