"""What one component test or benchmark owns: a database and topics of its own on the real infrastructure."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
from aiokafka.admin import NewTopic

from eventing import KafkaConfig
from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.registry import SagaRegistry
from orchestrator.sagas import REGISTRY
from orchestrator.settings import OrchestratorSettings
from orchestrator_testing.builders import hurried
from orchestrator_testing.kafka_participants import COMMAND_TOPICS, SAGA_TOPIC
from testkit.databases import ServiceDatabase
from testkit.service import settings_of
from testkit.topics import admin_client
from testkit.wait import eventually

TOPICS = (
    *COMMAND_TOPICS,
    SAGA_TOPIC,
    "private.orchestrator.commands.v1",
    "private.commerce.replies.v1",
    "private.payment.replies.v1",
    "private.orchestrator.acts.v1",
    "private.orchestrator.dlq.v1",
)
HURRY = 0.1


VERSION_1 = SagaRegistry([REGISTRY.pinned("order_payment", 1)])


def hurried_registry(*more: SagaDefinition) -> SagaRegistry:
    """order_payment with every time span a tenth, beside what a test adds."""
    return SagaRegistry([*(hurried(definition, HURRY) for definition in REGISTRY), *more])


def only(registry: SagaRegistry, version: int) -> SagaRegistry:
    """What a process of that version knows."""
    return SagaRegistry([registry.pinned("order_payment", version)])


@dataclass(frozen=True)
class World:
    """What one test owns."""

    database: ServiceDatabase
    kafka: KafkaConfig
    settings: OrchestratorSettings
    conn: asyncpg.Connection  # as the service, for looking

    async def statuses(self) -> dict[str, str]:
        rows = await self.conn.fetch("SELECT business_key, status FROM saga_execution")
        return {row["business_key"]: row["status"] for row in rows}

    async def ended(self, count: int, *, timeout_s: float = 30) -> dict[str, str]:
        """Wait until ``count`` sagas have ended and none runs."""
        await eventually(lambda: self.have_ended(count), timeout_s=timeout_s, every_s=0.05, what=f"{count} sagas ended")
        return await self.statuses()

    async def have_ended(self, count: int) -> bool:
        """True when there are ``count`` sagas and none runs."""
        found = await self.statuses()
        return len(found) == count and set(found.values()) <= {"completed", "failed"}

    async def drained(self, *, timeout_s: float = 10) -> None:
        """Wait until the outbox is empty."""
        await eventually(lambda: self._is_empty("outbox"), timeout_s=timeout_s, every_s=0.05, what="outbox drained")

    async def saga(self, checkout_id: str) -> asyncpg.Record | None:
        return await self.conn.fetchrow("SELECT * FROM saga_execution WHERE business_key = $1", checkout_id)

    async def _is_empty(self, table: str) -> Any:
        return not await self.conn.fetchval(f"SELECT EXISTS (SELECT FROM {table})")


@asynccontextmanager
async def topics(kafka_admin: KafkaConfig, *, partitions: int = 3) -> AsyncIterator[KafkaConfig]:
    """The orchestrator's topics under a prefix of their own."""
    config = replace(kafka_admin, topic_prefix=f"o{uuid.uuid4().hex[:10]}.")
    names = [config.topic_prefix + name for name in TOPICS]
    admin = admin_client(config)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1) for name in names])
        yield config
        await admin.delete_topics(names)
    finally:
        await admin.close()


@asynccontextmanager
async def new_world(
    database: Callable[[str], Awaitable[ServiceDatabase]], kafka_admin: KafkaConfig, redis_url: str
) -> AsyncIterator[World]:
    made = await database("orchestrator")
    async with topics(kafka_admin) as kafka:
        conn = await asyncpg.connect(made.dsn, server_settings={"search_path": "orchestrator"})
        try:
            settings = settings_of(OrchestratorSettings, dsn=made.dsn, redis_url=redis_url, kafka=kafka)
            yield World(made, kafka, settings, conn)
        finally:
            await conn.close()
