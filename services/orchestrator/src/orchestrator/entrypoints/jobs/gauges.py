"""How many sagas run, are stuck, are late: looked at by the clock, shown as gauges."""

from __future__ import annotations

from typing import Final

from orchestrator.adapters import metrics
from orchestrator.adapters.saga_reads import count_running
from orchestrator.wiring import App

EVERY_S: Final = 5.0


async def observe(app: App) -> None:
    """Set the gauges of every saga type."""
    async with app.database.read() as conn:
        running = await count_running(conn)
    metrics.observe_running(running, (saga_type for saga_type, _ in app.registry.known))
