"""Commands over a real broker: answered once each, whatever comes twice, late or broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from google.protobuf.timestamp_pb2 import Timestamp

from commerce.__main__ import SERVICE
from commerce.domain.ids import CheckoutId
from commerce.wiring import App
from commerce_testing.selling import on_sale, place_one, placed_before, units_of
from eventing import KafkaConfig, topic_of
from kernel.ids import derived_id
from sampan.auth.v1.user_pb2 import UserDeleted
from sampan.commerce.v1 import commands_pb2 as pb
from sampan.orchestrator.v1.reply_pb2 import OUTCOME_REJECTED, OUTCOME_SUCCEEDED, CommandReply
from testkit.databases import ServiceDatabase
from testkit.service import running
from testkit.wait import eventually

pytestmark = pytest.mark.component

REPLIES, DEAD = "private.commerce.replies.v1", "private.commerce.dlq.v1"


class Orchestrator:
    """Sends commands and keeps every reply, in order, by command id."""

    def __init__(self, config: KafkaConfig, producer: AIOKafkaProducer) -> None:
        self._config = config
        self._producer = producer
        self.replies: dict[UUID, list[CommandReply]] = {}
        self.reply_ids: dict[UUID, list[str]] = {}
        self.dead: list[Any] = []

    async def send(self, body: Any, *, command_id: UUID, saga_id: UUID, key: str | None = None) -> None:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(command_id).encode()),
            ("ce_type", body.DESCRIPTOR.full_name.encode()),
            ("ce_source", b"orchestrator"),
            ("ce_time", datetime.now(UTC).isoformat().encode()),
            ("correlation_id", str(saga_id).encode()),
            ("reply_key", str(saga_id).encode()),
        ]
        await self._producer.send(
            self._config.topic_prefix + topic_of(type(body)),
            body.SerializeToString(),
            key=(key or body.checkout_id).encode(),
            headers=headers,
        )

    async def send_raw(self, value: bytes, headers: list[tuple[str, bytes]], key: bytes) -> None:
        topic = self._config.topic_prefix + topic_of(pb.ReserveStock)
        await self._producer.send_and_wait(topic, value, key=key, headers=headers)

    async def read(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            if record.topic.endswith(DEAD):
                self.dead.append(record)
                continue
            reply = CommandReply.FromString(record.value)
            command_id = UUID(reply.command_id)
            headers = {name: value.decode() for name, value in record.headers}
            assert headers["causation_id"] == reply.command_id
            assert record.key.decode() == reply.reply_key
            self.replies.setdefault(command_id, []).append(reply)
            self.reply_ids.setdefault(command_id, []).append(headers["ce_id"])

    async def reply_to(self, command_id: UUID, count: int = 1) -> CommandReply:
        await eventually(lambda: len(self.replies.get(command_id, [])) >= count, timeout_s=60, what=f"{count} replies")
        return self.replies[command_id][-1]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kafka_app(
    database: Callable[[str], Awaitable[ServiceDatabase]], make_app: Any, kafka: KafkaConfig
) -> AsyncIterator[App]:
    """A commerce that consumes and relays."""
    made = await database("commerce")
    async with make_app(made.dsn, kafka) as app, running(*SERVICE.consumers(app), *SERVICE.relays(app)):
        yield app


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def orchestrator(kafka: KafkaConfig, kafka_app: App) -> AsyncIterator[Orchestrator]:
    producer = AIOKafkaProducer(**kafka.connection())
    consumer = AIOKafkaConsumer(
        kafka.topic_prefix + REPLIES,
        kafka.topic_prefix + DEAD,
        **kafka.connection(),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with _started(producer), _started(consumer):
        made = Orchestrator(kafka, producer)
        reading = asyncio.create_task(made.read(consumer))
        yield made
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def _started(part: Any) -> AsyncIterator[None]:
    await part.start()
    try:
        yield
    finally:
        await part.stop()


async def status(app: App, checkout_id: CheckoutId) -> tuple[str, str]:
    async with app.database.read() as conn:
        row = await conn.fetchrow("SELECT stock_state, payment_status FROM checkout WHERE id = $1", checkout_id)
    assert row is not None
    return row["stock_state"], row["payment_status"]


async def placed(app: App) -> CheckoutId:
    """A checkout of one unit of a new product, whose stock is held."""
    variant_id = await on_sale(app, on_hand=100)
    async with app.begin() as tx:
        return await place_one(variant_id, tx)


@pytest.mark.parametrize(
    "steps",
    [(pb.CompleteOrder,), (pb.ReserveStock, pb.ConfirmOrder, pb.MarkOrderPaid)],
    ids=["version 2", "version 1"],
)
async def test_a_saga_to_paid(kafka_app: App, orchestrator: Orchestrator, steps: tuple[Any, ...]) -> None:
    checkout_id, saga_id = await placed(kafka_app), uuid4()
    assert await status(kafka_app, checkout_id) == ("held", "pending")
    for step in steps:
        command_id = derived_id(saga_id, step.__name__)
        await orchestrator.send(step(checkout_id=str(checkout_id)), command_id=command_id, saga_id=saga_id)
        reply = await orchestrator.reply_to(command_id)
        assert (reply.outcome, reply.reply_key) == (OUTCOME_SUCCEEDED, str(saga_id))
    assert await status(kafka_app, checkout_id) == ("taken", "paid")


async def test_a_command_sent_twice_is_done_once_and_answered_the_same(
    kafka_app: App, orchestrator: Orchestrator
) -> None:
    first, second = await placed_before(kafka_app, await on_sale(kafka_app, on_hand=1), 2)
    for checkout_id in (first, second):
        command_id = derived_id(checkout_id, "reserve")
        for _ in range(2):
            await orchestrator.send(
                pb.ReserveStock(checkout_id=str(checkout_id), hold_s=60),
                command_id=command_id,
                saga_id=checkout_id,
            )
        await orchestrator.reply_to(command_id)
    lost = derived_id(second, "reserve")
    await orchestrator.send(pb.ReserveStock(checkout_id=str(second), hold_s=60), command_id=lost, saga_id=second)
    reply = await orchestrator.reply_to(lost, count=2)
    assert (reply.outcome, reply.code) == (OUTCOME_REJECTED, "commerce.stock.sold_out")
    assert {each.code for each in orchestrator.replies[lost]} == {"commerce.stock.sold_out"}
    assert len(set(orchestrator.reply_ids[lost])) == 1
    assert await status(kafka_app, first) == ("held", "pending")
    assert await status(kafka_app, second) == ("none", "pending")


async def test_an_undo_that_overtook_its_do(kafka_app: App, orchestrator: Orchestrator) -> None:
    checkout_id = await placed(kafka_app)
    its = str(checkout_id)
    undo, do, cancel = (derived_id(checkout_id, name) for name in ("undo", "do", "cancel"))
    await orchestrator.send(pb.ReleaseStock(checkout_id=its), command_id=undo, saga_id=checkout_id)
    assert (await orchestrator.reply_to(undo)).outcome == OUTCOME_SUCCEEDED
    await orchestrator.send(pb.ReserveStock(checkout_id=its), command_id=do, saga_id=checkout_id)
    assert (await orchestrator.reply_to(do)).code == "commerce.checkout.released"
    await orchestrator.send(
        pb.CancelOrder(checkout_id=its, reason_code="payment.timeout"), command_id=cancel, saga_id=checkout_id
    )
    assert (await orchestrator.reply_to(cancel)).outcome == OUTCOME_SUCCEEDED
    assert await status(kafka_app, checkout_id) == ("released", "failed")


async def test_many_at_once_for_few_units(kafka_app: App, orchestrator: Orchestrator) -> None:
    """Of checkouts that the version before placed, whose sagas this one began: held and sold at once, or refused."""
    units = 20
    variant_id = await on_sale(kafka_app, on_hand=units)
    wanting = await placed_before(kafka_app, variant_id, 60)
    for checkout_id in wanting:
        await orchestrator.send(
            pb.CompleteOrder(checkout_id=str(checkout_id)),
            command_id=derived_id(checkout_id, "complete"),
            saga_id=checkout_id,
        )
    replies = [await orchestrator.reply_to(derived_id(each, "complete")) for each in wanting]
    assert sum(reply.outcome == OUTCOME_SUCCEEDED for reply in replies) == units
    assert {reply.code for reply in replies if reply.outcome == OUTCOME_REJECTED} == {"commerce.stock.sold_out"}
    assert await units_of(kafka_app, variant_id) == (0, 0)


async def test_a_command_without_a_readable_checkout_is_refused(orchestrator: Orchestrator) -> None:
    command_id = uuid4()
    await orchestrator.send(pb.ConfirmOrder(checkout_id="not-a-uuid"), command_id=command_id, saga_id=uuid4(), key="k")
    reply = await orchestrator.reply_to(command_id)
    assert (reply.outcome, reply.code) == (OUTCOME_REJECTED, "commerce.command.invalid")


async def test_a_truncated_record_goes_to_the_dead_letters_and_the_next_passes(
    kafka_app: App, orchestrator: Orchestrator
) -> None:
    checkout_id = await placed(kafka_app)
    broken_id = uuid4()
    value = pb.ReserveStock(checkout_id=str(checkout_id), hold_s=60).SerializeToString()[:-7]
    headers = [
        ("ce_id", str(broken_id).encode()),
        ("ce_type", pb.ReserveStock.DESCRIPTOR.full_name.encode()),
        ("ce_time", datetime.now(UTC).isoformat().encode()),
    ]
    await orchestrator.send_raw(value, headers, key=b"broken")
    command_id = uuid4()
    await orchestrator.send(
        pb.ReserveStock(checkout_id=str(checkout_id), hold_s=60), command_id=command_id, saga_id=checkout_id
    )
    assert (await orchestrator.reply_to(command_id)).outcome == OUTCOME_SUCCEEDED
    await eventually(
        lambda: any(dict(each.headers).get("ce_id") == str(broken_id).encode() for each in orchestrator.dead),
        what="the dead letter",
        timeout_s=20,
    )


async def test_a_deleted_owner_sells_nothing_more_within_seconds(kafka_app: App, orchestrator: Orchestrator) -> None:
    """Told twice, with a record of nobody between; what goes wrong stops no command."""
    checkout_id = await placed(kafka_app)
    async with kafka_app.database.read() as conn:
        owner_id = await conn.fetchval("SELECT seller_id FROM orders WHERE checkout_id = $1", checkout_id)
    at = Timestamp()
    at.GetCurrentTime()
    for user_id in (str(owner_id), "not-a-uuid", str(owner_id)):
        deleted = UserDeleted(user_id=user_id, deleted_at=at)
        await orchestrator.send(deleted, command_id=uuid4(), saga_id=uuid4(), key=user_id)

    async def closed() -> bool:
        async with kafka_app.database.read() as conn:
            return bool(
                await conn.fetchval(
                    """
                    SELECT bool_and(s.status = 'closed' AND p.status = 'archived')
                    FROM shop s JOIN product p ON p.shop_id = s.id WHERE s.owner_id = $1
                    """,
                    owner_id,
                )
            )

    await eventually(closed, what="the shop is closed", timeout_s=20)
    for body, outcome, code in (
        (pb.ReserveStock(checkout_id=str(checkout_id), hold_s=60), OUTCOME_SUCCEEDED, ""),
        (pb.ConfirmOrder(checkout_id=str(checkout_id)), OUTCOME_REJECTED, "commerce.shop.closed"),
    ):
        command_id = uuid4()
        await orchestrator.send(body, command_id=command_id, saga_id=checkout_id)
        reply = await orchestrator.reply_to(command_id)
        assert (reply.outcome, reply.code) == (outcome, code)
