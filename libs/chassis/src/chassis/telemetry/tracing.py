"""OpenTelemetry: spans honour ``traceparent``, and every flow has a trace id even when nothing is exported.

Without an OTLP endpoint no span is recorded: a request then carries the caller's trace id, or a new one, in a span
that costs a few microseconds. With one, spans go out over OTLP/HTTP in the background.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags

_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_NOT_SAMPLED: Final = TraceFlags(TraceFlags.DEFAULT)
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SERVER_ERROR: Final = 500

_tracer: trace.Tracer | None = None


def configure_tracing(
    name: str, *, endpoint: str | None, sample_ratio: float = 1.0, exporter: SpanExporter | None = None
) -> TracerProvider | None:
    """Export spans of this process to ``endpoint`` (OTLP/HTTP, e.g. ``http://127.0.0.1:4318``).

    Returns the provider, whose ``shutdown`` sends what is left; None when nothing is exported.
    """
    global _tracer  # noqa: PLW0603 -- one provider per process is OpenTelemetry's own rule
    if exporter is None:
        if not endpoint:
            _tracer = None
            return None
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 -- slow

        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
    provider = TracerProvider(
        resource=Resource.create({"service.name": name, "service.namespace": "sampan"}),
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    _tracer = provider.get_tracer("sampan.chassis")
    return provider


class ServerSpan:
    """The span of one request, current for the task that handles it."""

    __slots__ = ("_span", "trace_id")

    def __init__(self, headers: Mapping[str, str], name: str, attributes: Mapping[str, str]) -> None:
        parent = _parent(headers.get("traceparent"))
        if _tracer is None:
            trace_id = parent.trace_id if parent else random.getrandbits(128) or 1
            flags = parent.trace_flags if parent else _NOT_SAMPLED
            span: Span = NonRecordingSpan(SpanContext(trace_id, random.getrandbits(64) or 1, False, flags))
        else:
            around = trace.set_span_in_context(NonRecordingSpan(parent)) if parent else context.Context()
            span = _tracer.start_span(name, context=around, kind=SpanKind.SERVER, attributes=dict(attributes))
            trace_id = span.get_span_context().trace_id
        context.attach(trace.set_span_in_context(span))
        self._span, self.trace_id = span, f"{trace_id:032x}"

    def end(self, status: int) -> None:
        """Close the span with the answer's status."""
        if _tracer is None:
            return
        self._span.set_attribute("http.response.status_code", status)
        if status >= _SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def _parent(traceparent: str | None) -> SpanContext | None:
    if traceparent is None:
        return None
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    flags = _SAMPLED if int(found[3], 16) & 1 else _NOT_SAMPLED
    return SpanContext(int(found[1], 16), int(found[2], 16), True, flags)
