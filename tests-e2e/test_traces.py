"""One order is one trace: gateway, commerce over HTTP, its outbox, Kafka, and every service that acts on the order."""

import secrets

import aiohttp
import people
import pytest
from demo.facts import read_facts

from sandbox.trace_tree import tree
from sandbox.traces import Span
from testkit.wait import eventually

pytestmark = pytest.mark.e2e

ON_THE_WAY = {"gateway", "commerce", "orchestrator", "payment", "notification"}
WAY = (
    "POST /v1/orders",
    "sampan.orchestrator.v1.StartOrderPayment",
    "sampan.payment.v1.PayOrder",
    "sampan.commerce.v1.CompleteOrder",
    "sampan.payment.v1.SettlePayment",
)


async def _spans(session, trace_id):
    async with session.get(f"{read_facts().sandbox_url}/traces", params={"trace_id": trace_id}) as answer:
        return [Span(**each) for each in (await answer.json())["items"]]


async def test_an_order_is_one_trace_from_the_gateway_to_every_consumer(api):
    _, _, variant_id = await people.shop_with_product(api, on_hand=5)
    buyer = await people.buyer_with(api, 1_000_00)
    trace_id = secrets.token_hex(16)
    placed = await api.call(
        "POST",
        "/v1/orders",
        {"lines": [{"variant_id": variant_id, "quantity": 1}]},
        token=buyer.access_token,
        headers={"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"},
    )
    await people.settled(buyer, placed)

    async with aiohttp.ClientSession() as session:

        async def whole():
            """Each service exports when it comes to it, a cause perhaps after what it caused."""
            spans = await _spans(session, trace_id)
            told = {span.service for span in spans} >= ON_THE_WAY and {_step(span) for span in spans} >= set(WAY)
            return spans if told and len(_roots(spans)) == 1 else None

        spans = await eventually(whole, timeout_s=60, what=f"one tree of trace {trace_id} through every service")

    lines = [(depth, span) for depth, span in tree(spans)]
    for depth, span in lines:
        print(f"{'  ' * depth}{span.service}: {span.name} {span.attributes.get('sampan.event_type', '')}")
    assert [(root.service, root.kind) for root in _roots(spans)] == [("gateway", "server")], (
        "every span has its cause in the trace"
    )
    depths = {_step(span): depth for depth, span in lines}
    assert [depths[step] for step in WAY] == sorted(depths[step] for step in WAY), depths


def _step(span):
    return span.attributes.get("sampan.event_type", span.name)


def _roots(spans):
    return [span for depth, span in tree(spans) if depth == 0]


async def test_a_request_that_asks_not_to_be_traced_is_not(api):
    trace_id = secrets.token_hex(16)
    sampled = secrets.token_hex(16)
    for each, flags in ((trace_id, "00"), (sampled, "01")):
        await api.call("GET", "/v1/categories", headers={"traceparent": f"00-{each}-{secrets.token_hex(8)}-{flags}"})
    async with aiohttp.ClientSession() as session:

        async def both():
            return {span.service for span in await _spans(session, sampled)} == {"gateway", "commerce"}

        await eventually(both, timeout_s=45, what="the sampled request's spans")
        assert await _spans(session, trace_id) == []
