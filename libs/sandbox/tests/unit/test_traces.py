"""Spans come in as exporters send them, go out as JSON and as a tree, and never fill the memory."""

from __future__ import annotations

import gzip

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sandbox.trace_tree import tree
from sandbox.traces import Span, Traces

TRACE = "0af7651916cd43dd8448eb211c80319c"


def batch(service, *spans):
    """An export of one service; each span is (id, parent, name, start in ms)."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    attribute = resource.resource.attributes.add(key="service.name")
    attribute.value.string_value = service
    scope = resource.scope_spans.add()
    for span_id, parent_id, name, start_ms in spans:
        scope.spans.add(
            trace_id=bytes.fromhex(TRACE),
            span_id=bytes([span_id]) * 8,
            parent_span_id=bytes([parent_id]) * 8 if parent_id else b"",
            name=name,
            kind=2,
            start_time_unix_nano=start_ms * 1_000_000,
            end_time_unix_nano=(start_ms + 5) * 1_000_000,
        )
    return request.SerializeToString()


async def client_of(traces):
    app = web.Application()
    app.add_routes(traces.routes())
    return TestClient(TestServer(app))


async def test_spans_of_several_services_are_one_tree():
    async with await client_of(Traces()) as client:
        sent = batch("commerce", (2, 1, "POST /v1/orders", 10), (3, 2, "<b>process</b>", 30))
        packed = await client.post("/v1/traces", data=gzip.compress(sent), headers={"Content-Encoding": "gzip"})
        assert packed.status == 200
        await client.post("/v1/traces", data=batch("gateway", (1, 0, "ingress", 5)))
        await client.post("/v1/traces", data=batch("gateway", (1, 0, "ingress", 5)))
        found = (await (await client.get("/traces", params={"trace_id": TRACE})).json())["items"]
        assert [(each["service"], each["name"], each["duration_ms"]) for each in found] == [
            ("gateway", "ingress", 5.0),
            ("commerce", "POST /v1/orders", 5.0),
            ("commerce", "<b>process</b>", 5.0),
        ]
        [listed] = (await (await client.get("/traces")).json())["items"]
        assert (listed["trace_id"], listed["spans"], listed["services"]) == (TRACE, 3, ["commerce", "gateway"])
        page = await (await client.get(f"/traces/{TRACE}")).text()
        assert page.index("ingress") < page.index("POST /v1/orders") < page.index("&lt;b&gt;process")
        listing = await client.get("/traces", headers={"Accept": "text/html"})
        assert f"/traces/{TRACE}" in await listing.text()


async def test_what_is_no_export_is_refused_and_what_is_unknown_is_not_there():
    async with await client_of(Traces()) as client:
        assert (await client.post("/v1/traces", data=b"\xff\xff\xff")).status == 400
        assert (await (await client.get("/traces", params={"trace_id": TRACE})).json()) == {"items": []}
        assert (await client.get(f"/traces/{TRACE}")).status == 404


def span(span_id, parent_id, *, trace_id=TRACE, start=0):
    return Span(trace_id, span_id, parent_id, "s", "n", "server", start, 1.0, failed=False, attributes={})


def test_the_oldest_traces_make_room():
    traces = Traces(spans_max=3)
    for number in range(4):
        traces.add(span(f"a{number}", "", trace_id=f"t{number}"))
    assert [len(traces.spans(f"t{number}")) for number in range(4)] == [0, 1, 1, 1]


@given(st.dictionaries(st.integers(0, 20), st.tuples(st.integers(0, 25), st.integers(0, 5)), max_size=20))
def test_every_span_stands_in_the_tree_once(links):
    spans = [span(str(each), str(parent), start=start) for each, (parent, start) in links.items()]
    shown = [each.span_id for _, each in tree(spans)]
    assert sorted(shown) == sorted(each.span_id for each in spans)


def test_a_child_stands_right_below_its_parent_also_when_it_came_first():
    spans = [span("c", "b", start=1), span("a", "", start=2), span("b", "a", start=3), span("d", "gone", start=9)]
    assert [(depth, each.span_id) for depth, each in tree(spans)] == [(0, "a"), (1, "b"), (2, "c"), (0, "d")]
