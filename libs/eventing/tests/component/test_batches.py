"""Batch handlers: the whole poll in one call and one transaction; each command gets its own answer."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from eventing import Subscriptions, in_flow_of, traceparent_of
from kernel.correlation import correlation_id, flow
from kernel.errors import DomainError, Kind
from kernel.ids import uuid7
from sampan.commerce.v1 import commands_pb2, order_pb2
from sampan.orchestrator.v1 import reply_pb2
from testkit.wait import eventually

pytestmark = pytest.mark.component


class SoldOutError(DomainError):
    code, kind = "commerce.stock.sold_out", Kind.CONFLICT


async def test_a_batch_of_commands_is_one_transaction_with_an_answer_each(world, running):
    await world.pool.execute("CREATE TABLE commerce.calls (xid xid8, records int)")
    subscriptions = Subscriptions("commerce")

    @subscriptions.on_batch(commands_pb2.ReserveStock, commands_pb2.ReleaseStock, commands=True)
    async def on_stock(messages, tx):
        await tx.conn.execute("INSERT INTO commerce.calls VALUES (pg_current_xact_id(), $1)", len(messages))
        return [SoldOutError("none left") if "odd" in message.key else None for message in messages]

    saga = str(uuid7())
    for number in range(30):
        body = commands_pb2.ReserveStock if number % 3 else commands_pb2.ReleaseStock
        key = "odd" if number % 2 else "even"
        await world.publish(body(checkout_id=f"{key}{number}"), headers={"reply_key": saga})
    async with running(world.relay()):
        await eventually(lambda: _drained(world))
    async with running(world.relay(), world.consumer(subscriptions)):
        replies = await eventually(lambda: _replies(world, 30), timeout_s=30)
    outcomes = [reply_pb2.CommandReply.FromString(record.value) for record in replies]
    assert sum(reply.outcome == reply_pb2.OUTCOME_SUCCEEDED for reply in outcomes) == 15
    assert {reply.code for reply in outcomes} == {"", "commerce.stock.sold_out"}
    assert await world.count("inbox", "outcome = 1") == 15
    assert await world.pool.fetchval("SELECT sum(records) FROM commerce.calls") == 30
    assert await world.count("calls") <= 5


async def _replies(world, count):
    records = await world.log_of("private.commerce.replies.v1")
    return records if len(records) == count else None


async def _drained(world):
    return await world.count("outbox") == 0


async def test_one_bad_record_does_not_fail_the_batch_it_came_with(world, running):
    await world.make_effects()
    subscriptions = Subscriptions("commerce")

    @subscriptions.on_batch(order_pb2.OrderPlaced)
    async def on_placed(messages, tx):
        for message in messages:
            await tx.conn.execute(
                "INSERT INTO commerce.effect (event_id, key, number) VALUES ($1, $2, $3)",
                message.id,
                message.key,
                message.aggregate_version,
            )
            if message.aggregate_version == 13:
                raise SoldOutError("the whole call fails for one")

    for number in range(40):
        await world.publish(order_pb2.OrderPlaced(order_id=f"o{number}"), aggregate_version=number)
    async with running(world.relay()):
        await eventually(lambda: _drained(world))
    async with running(world.relay(), world.consumer(subscriptions)):
        await eventually(lambda: _counts(world, 39, 1), timeout_s=30)
    assert "o13" not in await world.effects()


async def _counts(world, effects, dead):
    return (await world.count("effect"), await world.count("dead_letter")) == (effects, dead)


async def test_the_trace_and_the_flow_go_from_the_writer_into_the_handlers(world, running):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    subscriptions, seen = Subscriptions("commerce"), []

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        seen.append((message.key, correlation_id(), _trace_id()))
        tx.outbox.add(order_pb2.OrderPaid(order_id=message.key))

    @subscriptions.on_batch(order_pb2.OrderPaid)
    async def on_paid(messages, tx):
        for message in messages:
            with in_flow_of(message):
                seen.append((message.key, correlation_id(), _trace_id()))
                assert traceparent_of(message)[3:35] == f"{_trace_id():032x}"

    with provider.get_tracer("test").start_as_current_span("request") as request, flow("flow-9"):
        await world.publish(order_pb2.OrderPlaced(order_id="told"))
    unsampled = trace.SpanContext(77, 7, is_remote=True)
    with trace.use_span(trace.NonRecordingSpan(unsampled)), flow("flow-7"):
        await world.publish(order_pb2.OrderPlaced(order_id="untold"))
    async with running(world.relay(), world.consumer(subscriptions)):
        await eventually(lambda: len(seen) == 4, timeout_s=30)
    told = request.get_span_context()
    assert sorted(seen) == [("told", "flow-9", told.trace_id)] * 2 + [("untold", "flow-7", 77)] * 2
    spans = [span for span in exporter.get_finished_spans() if span.kind is trace.SpanKind.CONSUMER]
    assert [span.context.trace_id for span in spans] == [told.trace_id] * 2
    placed, paid = spans
    assert (placed.parent.span_id, paid.parent.span_id) == (told.span_id, placed.context.span_id)
    assert placed.name == "public.commerce.order.v1 process"


def _trace_id():
    return trace.get_current_span().get_span_context().trace_id


async def test_metrics_tell_what_happened(world, running):
    subscriptions = Subscriptions("metrics_test")

    @subscriptions.on(order_pb2.OrderPlaced)
    async def on_placed(message, tx):
        pass

    published = _metric("eventing_relay_published_records_total", schema="commerce")
    async with running(world.relay(), world.consumer(subscriptions)):
        await world.publish(*[order_pb2.OrderPlaced(order_id=f"o{n}") for n in range(5)])
        await eventually(
            lambda: _metric("eventing_consumer_records_total", consumer="metrics_test", outcome="done") == 5,
            timeout_s=30,
        )
        assert set(_lags()) == {0}
    assert _metric("eventing_relay_published_records_total", schema="commerce") == published + 5
    assert _metric("eventing_consumer_latency_seconds_count", consumer="metrics_test") == 5
    assert _metric("eventing_relay_latency_seconds_count", schema="commerce") >= 5
    assert _lags() == [], "a client that is gone knows no lag"


def _lags():
    return [
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "eventing_consumer_lag_records" and sample.labels["consumer"] == "metrics_test"
    ]


def _metric(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0
