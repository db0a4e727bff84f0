"""Background work: the sweep of expired holds, a convenience of figures and events, never of correctness."""

from __future__ import annotations

from chassis import idempotency
from commerce.usecases.expire_holds import BATCH, expire_holds
from commerce.wiring import App


async def sweep_holds(app: App) -> None:
    """Close expired holds until none is left."""
    while True:
        async with app.begin() as tx:
            moved = await expire_holds(tx)
        if moved < BATCH:
            return


async def forget_answers(app: App) -> None:
    """Delete answers stored for idempotency keys that nobody repeats any more."""
    async with app.database.begin() as conn:
        await idempotency.forget_old(conn)
