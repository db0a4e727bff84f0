"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from kernel.clock import Clock
from operations import Parts, open_parts
from orchestrator.adapters.transaction import OrchestratorTx
from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.registry import SagaRegistry, UnknownDefinitionError
from orchestrator.domain.state import SagaState
from orchestrator.sagas import REGISTRY
from orchestrator.settings import OrchestratorSettings

NAME: Final = "orchestrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything a process of this service holds."""

    settings: OrchestratorSettings
    registry: SagaRegistry = REGISTRY

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[OrchestratorTx]:
        """A transaction: commits at the end of the block; then the relay is woken and the metrics count."""
        async with self.transaction(user_id) as (conn, outbox):
            tx = OrchestratorTx.on(conn, outbox, self.clock.now(), self.registry)
            yield tx
        tx.events.committed()

    def definition(self, state: SagaState) -> SagaDefinition | None:
        """The saga's definition, None when this process is too old to know it."""
        try:
            return self.registry.pinned(state.saga_type, state.version)
        except UnknownDefinitionError:
            return None


@asynccontextmanager
async def wire(settings: OrchestratorSettings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open the pools; close them at the end of the block."""
    async with open_parts(settings, NAME, clock=clock, kafka_session_timeout_s=settings.consumer_session_s) as opened:
        yield App(**opened.parts(), settings=settings)
