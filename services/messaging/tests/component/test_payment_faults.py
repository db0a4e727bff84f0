"""Money sent in a dialog, messaging killed on both ways: it is asked for, and its outcome shown, exactly once."""

import asyncio
import signal
import uuid
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer

from messaging.entrypoints.consumers import STREAM_CONSUMER, stream_consumer
from operations.connections import kafka_config
from sampan.payment.v1.requests_pb2 import RequestTransfer
from sampan.payment.v1.transfer_pb2 import TransferCompleted, TransferRefused
from sampan.types.v1.money_pb2 import Money
from testkit.ports import free_ports
from testkit.processes import Child
from testkit.serving import Client
from testkit.wait import eventually

pytestmark = pytest.mark.fault


def role(world, tmp_path, name):
    """A role as a process, and where it listens."""
    http_port, ops_port = free_ports(2)
    settings = world.settings.model_dump(exclude_none=True) | {
        "http_port": http_port,
        "ops_port": ops_port,
        "kafka_instance": "killed",  # it comes back under its name and need not wait until its death is noticed
    }
    plain = {
        key: value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for key, value in settings.items()
    }
    environment = {f"MESSAGING_{key.upper()}": str(value) for key, value in plain.items()}
    return Child("messaging", name, environment=environment, log=tmp_path / name), http_port, ops_port


@asynccontextmanager
async def what_payment_hears(world):
    """Requests in the order in which they stand in the topic."""
    settings = world.settings
    consumer = AIOKafkaConsumer(
        settings.kafka_topic_prefix + "private.payment.requests.v1",
        **kafka_config(settings, "payment").connection(),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    heard = []

    async def read():
        async for record in consumer:
            heard.append(RequestTransfer.FromString(record.value))  # noqa: PERF401 -- looked at meanwhile

    await consumer.start()
    reading = asyncio.create_task(read())
    try:
        yield heard
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await consumer.stop()


async def followed(world):
    """Whether the follower has read all that was announced: its commits must not be taken for those of the outcome."""
    async with world.app.database.read() as conn:
        announced = await conn.fetch("SELECT event_id, topic, type FROM event_log")
        read = {
            row["event_id"]
            for row in await conn.fetch("SELECT event_id FROM inbox WHERE consumer = $1", STREAM_CONSUMER)
        }
    handled = stream_consumer(world.app).find
    return read and read == {row["event_id"] for row in announced if handled(row["topic"], row["type"])}


async def changes_of_card(world, dialog_id):
    async with world.app.database.read() as conn:
        rows = await conn.fetch(
            "SELECT payload FROM change WHERE dialog_id = $1 AND type = 'card.changed' ORDER BY seq",
            uuid.UUID(dialog_id),
        )
    return [row["payload"]["card"]["status"] for row in rows]


async def test_a_payments_card_shows_its_outcome_once_whenever_messaging_is_killed(world_apart, tmp_path):
    world = world_apart
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    body = {
        "client_message_id": str(uuid.uuid4()),
        "recipient_id": str(other.user_id),
        "amount": {"amount_minor": 5_000, "currency": "THB"},
    }
    path = f"/v1/dialogs/{dialog_id}/payments"
    # Killed between its commit and the relay: nobody was answered, and the request waits in the outbox.
    doomed, port, ops_port = role(world, tmp_path, "http")
    await doomed.start(SAMPAN_FAULT="outbox.after_commit:1:kill")
    await doomed.ready(ops_port, timeout_s=60)
    async with aiohttp.ClientSession() as session:
        with suppress(aiohttp.ClientError):
            await Client(session, f"http://127.0.0.1:{port}")("POST", path, body, token=one.token)
    assert await doomed.died() == -signal.SIGKILL
    again = await one.do("POST", path, body)
    assert (again.status, again.json["replayed"]) == (200, True)
    [message] = await other.messages(dialog_id)
    assert message["card"]["status"] == "pending"
    transfer_id = message["content"]["transfer_id"]
    # The relay is killed between Kafka's word and its note of it; then it does its work.
    every, _, _ = role(world, tmp_path, "all")
    try:
        async with what_payment_hears(world) as heard:
            await every.start(SAMPAN_FAULT="relay.after_ack:1:kill")
            assert await every.died(60) == -signal.SIGKILL
            await every.start()
            await eventually(lambda: heard, timeout_s=30, what="the request")
            # It may be said again; it is the same transfer, which payment does once.
            assert {(each.transfer_id, each.amount.amount_minor) for each in heard} == {(transfer_id, 5_000)}
            await eventually(lambda: followed(world), timeout_s=30, what="the follower is through")
            await every.stop(timeout_s=30)
        # Payment has committed; messaging is killed before and after the commit of what it reads.
        parties = {"sender_id": str(one.user_id), "recipient_id": str(other.user_id)}
        amount = Money(amount_minor=5_000, currency="THB")
        record = TransferCompleted(transfer_id=transfer_id, amount=amount, **parties)
        await world.publish(record, version=1)
        await every.start(SAMPAN_FAULT="consumer.before_commit:1:kill")
        assert await every.died(60) == -signal.SIGKILL
        await every.start(SAMPAN_FAULT="consumer.after_commit:1:kill")
        assert await every.died(60) == -signal.SIGKILL
        assert await changes_of_card(world, dialog_id) == ["completed"]
        # It never noted how far it was, so it is told the same again. What comes behind it shows that it is through.
        await world.publish(record, version=1)
        behind = uuid.uuid4()
        await world.publish(TransferRefused(transfer_id=str(behind), reason_code="x", **parties), version=1)
        await every.start()

        async def through():
            async with world.app.database.read() as conn:
                return await conn.fetchval("SELECT count(*) FROM entity WHERE entity_id = $1", behind)

        await eventually(through, timeout_s=30, what="all is read")
    finally:
        await every.kill()
    assert await changes_of_card(world, dialog_id) == ["completed"]
    [message] = await other.messages(dialog_id)
    assert message["card"]["status"] == "completed"
    [event] = (await one.ok("POST", "/v1/sync", {"dialogs": {dialog_id: message["seq"]}}))["dialogs"][0]["events"]
    assert (event["type"], event["card"]["status"]) == ("card.changed", "completed")
