"""Calls bots' webhooks: one request a bot at a time, every bot at its own pace, in one process at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from chassis.run import Periodic
from kernel.backoff import BackoffPolicy
from kernel.tasks import stop_tasks
from messaging.bots.adapters.bot_store import BotStore
from messaging.bots.adapters.update_reads import UpdateReads
from messaging.bots.domain.bot import Bot
from messaging.core.adapters import document_reads
from messaging.wiring import App
from outgoing import TIMEOUT_S
from sealing import opened_text

LOOK_EVERY_S, LOOK_IDLE_S = 0.3, 1.0
AT_ONCE: Final = 100
BATCH: Final = 50
STEP_S: Final = 60.0
# A process that dies in a call is followed by another after this long.
CLAIMED: Final = timedelta(seconds=TIMEOUT_S + 20)
RETRY: Final = BackoffPolicy(first_s=1.0, cap_s=600.0)
log = structlog.get_logger(__name__)


class RefusedError(Exception):
    """The receiver did not take the updates."""


class WebhookCalls:
    """Starts a call for each bot whose updates are due. A receiver that hangs delays nobody else's."""

    name = "bot-webhooks"
    critical: Final = False

    def __init__(self, app: App) -> None:
        self._app = app
        self._calls: set[asyncio.Task[None]] = set()
        self._looks = Periodic(self.name, LOOK_EVERY_S, self._start_due, idle_s=LOOK_IDLE_S, bound_s=STEP_S)
        self.steps = self._looks.steps

    def problem(self) -> str | None:
        return self._looks.problem()

    async def run(self, stop: asyncio.Event) -> None:
        await self._looks.run(stop)
        if self._calls:
            await asyncio.wait(self._calls, timeout=TIMEOUT_S)
        await stop_tasks(*self._calls)

    async def _start_due(self) -> bool:
        now = self._app.clock.now()
        async with self._app.database.begin() as conn:
            due = await BotStore(conn).claim_webhooks(now, now + CLAIMED, AT_ONCE - len(self._calls))
        for bot in due:
            call = asyncio.create_task(self._call(bot))
            self._calls.add(call)
            call.add_done_callback(self._ended)
        return bool(due)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        if not call.cancelled() and (error := call.exception()):
            log.error("webhook.failed", error=type(error).__name__)

    async def _call(self, bot: Bot) -> None:
        """One request with what comes next; the batch after it is due at once. After a failure it is due later."""
        try:
            await self._post(bot)
        except Exception as error:
            if not isinstance(error, RefusedError):
                log.exception("webhook.failed", bot_id=str(bot.bot_id))
            now = self._app.clock.now()
            again_at = now + timedelta(seconds=RETRY.wait_s(bot.failures + 1))
            async with self._app.database.begin() as conn:
                await BotStore(conn).note_failure(bot.bot_id, now, again_at)
            log.info("webhook.refused", bot_id=str(bot.bot_id), failures=bot.failures + 1)

    async def _post(self, bot: Bot) -> None:
        """Raises ``RefusedError`` when the receiver did not take it."""
        app = self._app
        if bot.webhook_url is None or bot.webhook_secret is None:
            return
        async with app.database.read() as conn:
            updates = await BotStore(conn).updates_after(bot.bot_id, 0, BATCH)
            shown = await UpdateReads(conn, app.keys).shown(updates)
        if shown:
            body = document_reads.to_json({"bot_id": bot.bot_id, "updates": shown})
            secret = opened_text(app.keys, None, bot.webhook_secret, webhook_of=bot.bot_id)
            if secret is None or not await app.webhooks.post(bot.webhook_url, secret, body):
                raise RefusedError
        async with app.database.begin() as conn:
            if updates:
                await BotStore(conn).confirm(bot.bot_id, updates[-1].update_id)
            await BotStore(conn).note_success(bot.bot_id)
