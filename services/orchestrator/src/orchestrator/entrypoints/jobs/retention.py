"""Sagas that ended long ago are deleted with their histories. The audit trail of people's acts stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from operations import in_halves
from orchestrator.adapters.saga_store import forget, ids_ended_before
from orchestrator.domain.ids import SagaId
from orchestrator.wiring import App

EVERY_S: Final = 3600.0
BATCH: Final = 1_000


async def prune(app: App) -> int:
    """In small transactions; a saga that cannot be deleted stays, and the others go. Returns how many went."""
    before = app.clock.now() - timedelta(days=app.settings.retention_days)
    total, last = 0, SagaId(UUID(int=0))
    while True:
        async with app.database.read() as conn:
            old = await ids_ended_before(conn, before, after=last, limit=BATCH)
        total += await in_halves(old, partial(_delete, app))
        if len(old) < BATCH:
            return total
        last = old[-1]


async def _delete(app: App, ids: Sequence[SagaId]) -> int:
    async with app.database.begin() as conn:
        return await forget(conn, ids)
