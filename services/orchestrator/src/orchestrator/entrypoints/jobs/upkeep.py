"""What runs by the clock beside the timers: gauges, and the removal of sagas that ended long ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from operations import in_halves
from orchestrator.adapters import metrics
from orchestrator.wiring import App

PRUNE_BATCH: Final = 1_000

_GAUGES = """
SELECT saga_type, count(*) AS running, count(*) FILTER (WHERE needs_operator) AS stuck,
    count(*) FILTER (WHERE next_wake_at < clock_timestamp() - interval '5 seconds') AS overdue,
    coalesce(extract(epoch FROM clock_timestamp() - min(started_at)), 0)::float8 AS oldest_s,
    greatest(0, coalesce(extract(epoch FROM clock_timestamp() - min(deadline_at) FILTER (
        WHERE NOT needs_operator AND coalesce(paused_until, '-infinity') < clock_timestamp())), 0))::float8 AS late_s
FROM saga_execution WHERE status IN ('started', 'compensating') GROUP BY saga_type"""

_OLD = """
SELECT id FROM saga_execution
WHERE terminal AND coalesce(completed_at, failed_at) < $1 AND id > $2 ORDER BY id LIMIT $3"""


async def observe(app: App) -> None:
    """Set the gauges; a type without running sagas reads 0."""
    async with app.database.read() as conn:
        rows = {row["saga_type"]: row for row in await conn.fetch(_GAUGES)}
    for saga_type in {definition.saga_type for definition in app.registry} | rows.keys():
        row = rows.get(saga_type)
        metrics.RUNNING.labels(saga_type).set(row["running"] if row else 0)
        metrics.STUCK.labels(saga_type).set(row["stuck"] if row else 0)
        metrics.OVERDUE.labels(saga_type).set(row["overdue"] if row else 0)
        metrics.OLDEST_RUNNING.labels(saga_type).set(row["oldest_s"] if row else 0)
        metrics.OLDEST_LATE.labels(saga_type).set(row["late_s"] if row else 0)


async def prune(app: App) -> int:
    """Delete ended sagas past their retention, in small transactions. The audit trail of people's acts stays.

    A saga that cannot be deleted stays, and the others go.
    """
    before = app.clock.now() - timedelta(days=app.settings.retention_days)
    total, last = 0, UUID(int=0)
    while True:
        async with app.database.read() as conn:
            old = [row["id"] for row in await conn.fetch(_OLD, before, last, PRUNE_BATCH)]
        total += await in_halves(old, partial(_delete, app))
        if len(old) < PRUNE_BATCH:
            return total
        last = old[-1]


async def _delete(app: App, ids: Sequence[UUID]) -> int:
    async with app.database.begin() as conn:
        deleted: int = await conn.fetchval("SELECT orchestrator.forget_sagas($1)", ids)
    return deleted
