"""What the clock makes payment do. Every round is small, so that a stop is quick and a crash loses nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from payment.usecases.drive_top_ups import drive_top_ups
from payment.usecases.expire_holds import expire_holds
from payment.wiring import App

MONTHS_AHEAD: Final = 3
KEEP: Final = timedelta(days=30)


async def top_ups(app: App) -> None:
    """Until nothing is due."""
    while await drive_top_ups(app.begin, app.providers):
        pass


async def expiry(app: App) -> None:
    """Until no hold is due."""
    while await expire_holds(app.begin):
        pass


async def housekeeping(app: App) -> None:
    """Partitions ahead; refusals and webhook ids that no retry can ask for any more."""
    now = app.clock.now()
    async with app.database.begin() as conn:
        await conn.execute("SELECT ensure_transaction_months($1, $2)", now.date(), MONTHS_AHEAD)
    async with app.database.begin() as conn:
        await conn.execute("DELETE FROM refusal WHERE at < $1", now - KEEP)
        await conn.execute("DELETE FROM provider_event WHERE received_at < $1", now - KEEP)
