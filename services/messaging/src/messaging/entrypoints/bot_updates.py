"""Updates on their way to bots: rendered when they are told, in order, again until they are taken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from chassis.run import Periodic, Runner
from messaging.adapters import rendering
from messaging.adapters.bot_store import (
    Bot,
    Update,
    confirm,
    due_webhooks,
    forget_updates,
    note_failure,
    note_success,
    updates_after,
)
from messaging.adapters.stream_reads import events_after
from messaging.domain.stream import TooOldError
from messaging.usecases.collect_updates import collect_updates
from messaging.wiring import App

COLLECT_EVERY_S, COLLECT_IDLE_S = 0.3, 1.0
CLEAN_EVERY_S: Final = 600.0
KEPT: Final = timedelta(days=2)
BATCH: Final = 50
RETRY_S_MIN: Final = 1.0
RETRY_S_MAX: Final = 600.0
log = structlog.get_logger()


def jobs(app: App) -> Sequence[Runner]:
    return [
        Periodic("bot-updates", COLLECT_EVERY_S, lambda: pump(app), idle_s=COLLECT_IDLE_S),
        Periodic("bot-updates-clean", CLEAN_EVERY_S, lambda: _forget(app)),
    ]


def channel(bot_id: UUID) -> str:
    """Rung when a bot has something new."""
    return f"bot:{bot_id}"


async def pump(app: App) -> bool:
    """Collect what is new, ring for bots that ask, call the webhooks of the others. False when there was nothing."""
    told, found = True, False
    while told:
        async with app.begin() as tx:
            told = bool(rung := await collect_updates(tx))
        found = found or told
        await asyncio.gather(*(app.hints.publish(channel(bot_id)) for bot_id in rung))
    async with app.database.read() as conn:
        due = await due_webhooks(conn, app.clock.now())
    await asyncio.gather(*(_call(app, bot) for bot in due))
    return found or bool(due)


async def shown_updates(app: App, updates: Sequence[Update]) -> list[dict[str, Any]]:
    """As bots get them: the event as it is now, in the shape of a realtime frame."""
    shown: list[dict[str, Any]] = []
    async with app.database.read() as conn:
        for update in updates:
            try:
                events = await events_after(conn, app.keys, update.dialog_id, update.seq - 1, 1)
            except TooOldError:
                continue
            shown.extend({"update_id": update.update_id, "event": orjson.loads(each.frame)} for each in events)
    return shown


async def _call(app: App, bot: Bot) -> None:
    """One request; the next batch follows in the next round."""
    if bot.webhook_url is None or bot.webhook_secret is None:
        return
    async with app.database.read() as conn:
        updates = await updates_after(conn, bot.bot_id, 0, BATCH)
    body = rendering.to_json({"bot_id": bot.bot_id, "updates": await shown_updates(app, updates)})
    secret = app.keys.decrypt(None, bot.webhook_secret)
    taken = secret is not None and await app.webhooks.post(bot.webhook_url, secret.decode(), body)
    now = app.clock.now()
    async with app.database.begin() as conn:
        if taken:
            await confirm(conn, bot.bot_id, updates[-1].update_id)
            await note_success(conn, bot.bot_id)
        else:
            delay_s = min(RETRY_S_MAX, RETRY_S_MIN * 2 ** min(bot.failures, 10))
            await note_failure(conn, bot.bot_id, now, now + timedelta(seconds=delay_s))
            log.info("webhook.refused", bot_id=str(bot.bot_id), failures=bot.failures + 1)


async def _forget(app: App) -> None:
    async with app.database.read() as conn:
        await forget_updates(conn, app.clock.now() - KEPT)
