"""Background work: the sweep of expired holds, a convenience of figures and events, never of correctness."""

from __future__ import annotations

from commerce.usecases.expire_holds import BATCH, expire_holds
from commerce.wiring import App


async def sweep_holds(app: App) -> None:
    """Close expired holds until none is left."""
    while True:
        async with app.begin() as tx:
            moved = await expire_holds(tx)
        if moved < BATCH:
            return
