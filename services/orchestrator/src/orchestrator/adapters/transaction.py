"""One transaction: its time, its sagas, and what leaves with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis.postgres import Connection
from eventing import Outbox
from orchestrator.adapters.events import Events
from orchestrator.adapters.saga_store import SagaStore
from orchestrator.domain.registry import SagaRegistry


@dataclass(slots=True)
class OrchestratorTx:
    """``conn`` and ``outbox`` are for the edge and the libraries; use cases have the rest."""

    conn: Connection
    outbox: Outbox
    now: datetime
    sagas: SagaStore
    events: Events

    @classmethod
    def on(cls, conn: Connection, outbox: Outbox, now: datetime, registry: SagaRegistry) -> OrchestratorTx:
        """The stores of one open transaction."""
        return cls(conn, outbox, now, SagaStore(conn, registry), Events(outbox))
