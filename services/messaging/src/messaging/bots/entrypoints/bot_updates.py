"""Updates on their way to bots: rendered when they are told, in order, again until they are taken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from chassis.run import Periodic, Runner
from messaging.bots.adapters.bot_store import BotStore, Update
from messaging.bots.domain.bot import Bot
from messaging.bots.usecases.collect_updates import PutOff, collect_updates
from messaging.core.adapters.stream_reads import StreamReads
from messaging.core.domain.stream import TooOldError
from messaging.wiring import App

COLLECT_EVERY_S, COLLECT_IDLE_S = 0.3, 1.0
CLEAN_EVERY_S: Final = 600.0
KEPT: Final = timedelta(days=2)
BATCH: Final = 50


def jobs(app: App) -> Sequence[Runner]:
    put_off: PutOff = {}
    return [
        Periodic("bot-updates", COLLECT_EVERY_S, lambda: pump(app, put_off), idle_s=COLLECT_IDLE_S),
        Periodic("bot-updates-clean", CLEAN_EVERY_S, lambda: _forget(app)),
    ]


def channel(bot_id: UUID) -> str:
    """Notified when a bot has something new."""
    return f"bot:{bot_id}"


async def pump(app: App, put_off: PutOff) -> bool:
    """Collect what is new, and notify bots that ask. False when there was nothing."""
    told, found = True, False
    while told:
        async with app.begin() as tx:
            told = bool(notified := await collect_updates(tx, put_off))
        found = found or told
        await asyncio.gather(*(app.hints.publish(channel(bot_id)) for bot_id in notified))
    return found


async def next_updates(app: App, bot: Bot, after: int, limit: int) -> list[dict[str, Any]]:
    """The next that can be shown: not what lies below a dialog's ``oldest_seq`` meanwhile, or where the bot is out."""
    while True:
        async with app.database.read() as conn:
            updates = await BotStore(conn).updates_after(bot.bot_id, after, limit)
        shown = await shown_updates(app, updates)
        if shown or not updates:
            return shown
        after = updates[-1].update_id


async def shown_updates(app: App, updates: Sequence[Update]) -> list[dict[str, Any]]:
    """As bots get them: the event as it is now, in the shape of a realtime frame."""
    shown: list[dict[str, Any]] = []
    async with app.database.read() as conn:
        for update in updates:
            if update.from_seq is None or update.seq < update.from_seq:
                continue
            try:
                events = await StreamReads(conn, app.keys).events_after(update.dialog_id, update.seq - 1, 1)
            except TooOldError:
                continue
            shown.extend(
                {"update_id": update.update_id, "event": orjson.loads(each.frame)}
                for each in events
                if each.is_shown_from(update.from_seq)
            )
    return shown


async def _forget(app: App) -> None:
    async with app.database.read() as conn:
        await BotStore(conn).forget_updates(app.clock.now() - KEPT)
