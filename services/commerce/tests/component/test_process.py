"""The service as it is run: killed at the worst moments, its stock and its answers are right afterwards."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from commerce.domain.ids import CheckoutId
from commerce_testing.selling import on_sale, placed_before, units_of
from eventing import KafkaConfig, topic_of
from kernel.ids import derived_id
from sampan.commerce.v1 import commands_pb2 as pb
from sampan.orchestrator.v1.reply_pb2 import OUTCOME_REJECTED, OUTCOME_SUCCEEDED, CommandReply
from testkit.databases import ServiceDatabase, placeholder_settings
from testkit.ports import free_port
from testkit.processes import Child
from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.fault]

UNITS, BUYERS = 20, 60
KILLS = ("consumer.before_commit", "consumer.after_commit", "relay.after_ack")


def environment(database: ServiceDatabase, redis_url: str, kafka: KafkaConfig, ops_port: int) -> dict[str, str]:
    return placeholder_settings("commerce") | {
        "COMMERCE_DATABASE_DSN": database.dsn,
        "COMMERCE_REDIS_URL": redis_url,
        "COMMERCE_HTTP_PORT": str(free_port()),
        "COMMERCE_OPS_PORT": str(ops_port),
        "COMMERCE_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "COMMERCE_KAFKA_USERNAME": kafka.username or "",
        "COMMERCE_KAFKA_PASSWORD": kafka.password or "",
        "COMMERCE_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "COMMERCE_KAFKA_INSTANCE": "killed",
    }


@asynccontextmanager
async def replies_of(kafka: KafkaConfig) -> AsyncIterator[dict[UUID, set[int]]]:
    """Outcomes by command id, while the block runs."""
    consumer = AIOKafkaConsumer(
        kafka.topic_prefix + "private.commerce.replies.v1",
        **kafka.connection(),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    outcomes: dict[UUID, set[int]] = {}

    async def read() -> None:
        async for record in consumer:
            reply = CommandReply.FromString(record.value)
            outcomes.setdefault(UUID(reply.command_id), set()).add(reply.outcome)

    await consumer.start()
    reading = asyncio.create_task(read())
    try:
        yield outcomes
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await consumer.stop()


async def send_completions(kafka: KafkaConfig, checkout_ids: list[CheckoutId]) -> None:
    producer = AIOKafkaProducer(**kafka.connection())
    await producer.start()
    try:
        for checkout_id in checkout_ids:
            headers = [
                ("ce_id", str(derived_id(checkout_id, "complete")).encode()),
                ("ce_type", pb.CompleteOrder.DESCRIPTOR.full_name.encode()),
                ("ce_time", datetime.now(UTC).isoformat().encode()),
                ("reply_key", str(checkout_id).encode()),
            ]
            await producer.send_and_wait(
                kafka.topic_prefix + topic_of(pb.CompleteOrder),
                pb.CompleteOrder(checkout_id=str(checkout_id)).SerializeToString(),
                key=str(checkout_id).encode(),
                headers=headers,
            )
    finally:
        await producer.stop()


@pytest.mark.timeout(300)
async def test_killed_again_and_again_it_sells_what_there_is(
    database: Callable[[str], Awaitable[ServiceDatabase]],
    redis_url: str,
    kafka: KafkaConfig,
    make_app: Any,
    tmp_path: Path,
) -> None:
    made = await database("commerce")
    ops_port = free_port()
    child = Child(
        "commerce",
        "all",
        environment=environment(made, redis_url, kafka, ops_port),
        log=tmp_path / "commerce.log",
    )
    async with make_app(made.dsn, kafka) as app, replies_of(kafka) as outcomes:
        variant_id = await on_sale(app, on_hand=UNITS)
        checkout_ids = await placed_before(app, variant_id, BUYERS)
        share = BUYERS // len(KILLS)
        try:
            for turn, point in enumerate(KILLS):
                await child.start(SAMPAN_FAULT=f"{point}:1")
                await send_completions(kafka, checkout_ids[turn * share : (turn + 1) * share])
                assert await child.died(timeout_s=60) == -9, point
            await child.start()
            await child.ready(ops_port, timeout_s=60)
            commands = {derived_id(each, "complete") for each in checkout_ids}
            await eventually(lambda: commands <= outcomes.keys(), timeout_s=40, what="every command answered")
            assert await child.stop(timeout_s=30) == 0
        finally:
            await child.kill()
        answered = [outcomes[command] for command in commands]
        assert answered.count({OUTCOME_SUCCEEDED}) == UNITS
        assert answered.count({OUTCOME_REJECTED}) == BUYERS - UNITS
        assert await units_of(app, variant_id) == (0, 0)
    await audit_passes(made)


async def audit_passes(database: ServiceDatabase) -> None:
    """``python -m commerce audit`` says so, and is believed by its exit code."""
    values = placeholder_settings("commerce") | {"COMMERCE_DATABASE_DSN": database.dsn}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "commerce", "audit", env=values, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert b"0 broken" in output
