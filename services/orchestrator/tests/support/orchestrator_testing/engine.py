"""The engine's parts in this event loop: consumer, relay and timers, as the role ``all`` runs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from eventing import Consumer, KafkaConfig, Relay
from orchestrator.domain.registry import SagaRegistry
from orchestrator.entrypoints.consumers import subscriptions
from orchestrator.entrypoints.jobs.timers import Timers
from orchestrator.sagas import REGISTRY
from orchestrator.settings import OrchestratorSettings
from orchestrator.wiring import App, wire


def engine_settings(*, dsn: str, redis_url: str, kafka: KafkaConfig) -> OrchestratorSettings:
    """Settings of an engine in tests and benchmarks; nothing is read from the environment."""
    values = {
        "environment": "test",
        "http_port": 0,
        "ops_port": 0,
        "database_dsn": dsn,
        "redis_url": redis_url,
        "kafka_bootstrap": kafka.bootstrap,
        "kafka_username": kafka.username,
        "kafka_password": kafka.password,
        "kafka_topic_prefix": kafka.topic_prefix,
        "jwks_url": "http://127.0.0.1:1/jwks.json",
        "cursor_secret": "test-only-cursor-secret-of-32-bytes",
    }
    return OrchestratorSettings.model_validate(values)


@asynccontextmanager
async def running_engine(
    settings: OrchestratorSettings, *, registry: SagaRegistry = REGISTRY, timers: bool = True
) -> AsyncIterator[App]:
    """An engine that runs for as long as the block; drained at its end."""
    async with wire(settings) as wired:
        app = replace(wired, registry=registry)
        stop = asyncio.Event()
        consumer = Consumer(subscriptions(registry), begin=app.begin, config=app.outbox_config, kafka=app.kafka)
        relay = Relay(
            dsn=settings.database_dsn.get_secret_value(),
            config=app.outbox_config,
            kafka=app.kafka,
            wakeups=app.wakeups,
        )
        runners = [asyncio.create_task(consumer.run(stop)), asyncio.create_task(relay.run(stop))]
        if timers:
            runners.append(asyncio.create_task(Timers(app, poll_s=settings.timer_poll_s).run(stop)))
        try:
            yield app
        finally:
            stop.set()
            await asyncio.gather(*runners)
