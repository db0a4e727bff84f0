"""Updates for bots: collected from the streams of their dialogs, and dropped when nobody asked for them in time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from messaging.bots.adapters.bot_store import BotStore
from messaging.bots.adapters.update_reads import channel
from messaging.bots.usecases.collect_updates import PutOff, collect_updates
from messaging.wiring import App

KEPT: Final = timedelta(days=2)


async def collect_new(app: App, put_off: PutOff) -> bool:
    """Collect all that is new, and notify bots that ask. False when there was nothing."""
    found = False
    while True:
        async with app.begin() as tx:
            updated = await collect_updates(put_off, tx)
        await asyncio.gather(*(app.hints.publish(channel(bot_id)) for bot_id in updated))
        if not updated:
            return found
        found = True


async def forget_old(app: App) -> None:
    async with app.database.read() as conn:
        await BotStore(conn).forget_updates(app.clock.now() - KEPT)
