"""A collector of traces that keeps the newest spans in memory: OTLP over HTTP in, JSON and a page out.

``POST /v1/traces`` takes what OpenTelemetry exporters send (protobuf). ``GET /traces`` lists the newest traces,
``GET /traces?trace_id=`` the spans of one, ``GET /traces/{trace_id}`` shows it as a tree to a person.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from aiohttp import web
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from sandbox.trace_page import list_page, trace_page

SPANS_MAX = 5_000
TRACES_LISTED = 100


@dataclass(frozen=True, slots=True)
class Span:
    """One span. ``parent_span_id`` is empty for the first of a trace, as far as its exporter knows."""

    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    name: str
    kind: str
    start_unix_ns: int
    duration_ms: float
    failed: bool
    attributes: dict[str, str]


class Traces:
    """The collector's memory: at most ``SPANS_MAX`` spans; whole traces go, the oldest first."""

    def __init__(self, *, spans_max: int = SPANS_MAX) -> None:
        self._spans_max = spans_max
        self._kept = 0
        self._traces: OrderedDict[str, dict[str, Span]] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/traces", self.post_spans),
            web.get("/traces", self.get_traces),
            web.get("/traces/{trace_id}", self.get_page),
        ]

    async def post_spans(self, request: web.Request) -> web.Response:
        """OTLP/HTTP with a protobuf body. A span that comes twice is kept once."""
        try:
            batch = ExportTraceServiceRequest.FromString(await request.read())
        except DecodeError:
            return web.Response(status=400, text="not an ExportTraceServiceRequest in protobuf")
        for span in _spans_of(batch):
            self.add(span)
        return web.Response(body=b"", content_type="application/x-protobuf")

    async def get_traces(self, request: web.Request) -> web.Response:
        """Without ``trace_id``: the newest traces, JSON or (to a browser) a page. With it: that trace's spans."""
        trace_id = request.query.get("trace_id")
        if trace_id is not None:
            return web.json_response({"items": [asdict(span) for span in self.spans(trace_id)]})
        newest = [self.spans(each) for each in list(reversed(self._traces))[:TRACES_LISTED]]
        if "text/html" in request.headers.get("Accept", ""):
            return web.Response(text=list_page(newest), content_type="text/html")
        return web.json_response({"items": [_summary(spans) for spans in newest]})

    async def get_page(self, request: web.Request) -> web.Response:
        spans = self.spans(request.match_info["trace_id"])
        page = trace_page(spans)
        return web.Response(text=page, content_type="text/html", status=200 if spans else 404)

    def add(self, span: Span) -> None:
        spans = self._traces.setdefault(span.trace_id, {})
        self._kept += span.span_id not in spans
        spans[span.span_id] = span
        while self._kept > self._spans_max:
            _, gone = self._traces.popitem(last=False)
            self._kept -= len(gone)

    def spans(self, trace_id: str) -> Sequence[Span]:
        """Spans of a trace, in the order they began."""
        return sorted(self._traces.get(trace_id, {}).values(), key=lambda span: span.start_unix_ns)


def _spans_of(batch: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in batch.resource_spans:
        service = _texts(resource.resource.attributes).get("service.name", "unknown")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _span(service, span)


def _span(service: str, span: trace_pb2.Span) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        service=service,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        start_unix_ns=span.start_time_unix_nano,
        duration_ms=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        attributes=_texts(span.attributes),
    )


def _texts(attributes: Sequence[KeyValue]) -> dict[str, str]:
    return {each.key: _text(each.value) for each in attributes}


def _text(value: AnyValue) -> str:
    which = value.WhichOneof("value")
    return "" if which is None else str(getattr(value, which))


def _summary(spans: Sequence[Span]) -> dict[str, object]:
    return {
        "trace_id": spans[0].trace_id,
        "name": spans[0].name,
        "spans": len(spans),
        "services": sorted({span.service for span in spans}),
        "start_unix_ns": spans[0].start_unix_ns,
    }
