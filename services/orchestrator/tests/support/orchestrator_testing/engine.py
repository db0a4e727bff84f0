"""The engine's parts in this event loop: consumer, relay and timers, as the role ``all`` runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from eventing import Consumer, Relay
from orchestrator.domain.registry import SagaRegistry
from orchestrator.entrypoints.consumers import subscriptions
from orchestrator.entrypoints.jobs.timers import Timers
from orchestrator.sagas import REGISTRY
from orchestrator.settings import OrchestratorSettings
from orchestrator.wiring import App, wire
from testkit.service import running


@asynccontextmanager
async def running_engine(
    settings: OrchestratorSettings, *, registry: SagaRegistry = REGISTRY, timers: bool = True
) -> AsyncIterator[App]:
    """An engine that runs for as long as the block; drained at its end."""
    async with wire(settings) as wired:
        app = replace(wired, registry=registry)
        consumer = Consumer(subscriptions(registry), begin=app.begin, config=app.outbox_config, kafka=app.kafka)
        relay = Relay(
            dsn=settings.database_dsn.get_secret_value(),
            config=app.outbox_config,
            kafka=app.kafka,
            wakeups=app.wakeups,
        )
        async with running(consumer, relay, *([Timers(app, poll_s=settings.timer_poll_s)] if timers else [])):
            yield app
