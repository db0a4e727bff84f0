"""Routes for bots themselves: who am I, what happened, send. The bot's token is ``Authorization: Bot …``."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from aiohttp import web

from chassis.http import RateLimit, Reply, Routes
from chassis.waiting import wait_until
from messaging.bots.adapters.bot_store import BotStore
from messaging.bots.adapters.update_reads import UpdateReads, channel
from messaging.bots.domain.bot import Bot, BotTokenInvalidError, WebhookSetError
from messaging.bots.entrypoints.schemas.bots import WAIT_S_MAX, BotFaceView, UpdatesQuery, UpdatesView, UpdateView
from messaging.core.entrypoints.routes.messages import SEND_ERRORS
from messaging.core.entrypoints.schemas.messages import SendMessageBody, SentView
from messaging.core.usecases.submit_message import submit_message
from messaging.wiring import App

SCHEME: Final = "Bot "
LIMIT = RateLimit("bot-api", per_address=6000, window_s=60, fails="open")
routes = Routes(tag="bot api", auth="public", limit=LIMIT)


@routes.get("/v1/bot-api/me", errors=(BotTokenInvalidError,), summary="Who am I")
async def get_me(request: web.Request, app: App) -> BotFaceView:
    bot = await bot_of(request, app)
    return BotFaceView.of_fields(bot)


@routes.get("/v1/bot-api/updates", errors=(BotTokenInvalidError, WebhookSetError), summary="What happened")
async def get_updates(request: web.Request, query: UpdatesQuery, app: App) -> UpdatesView:
    """In order. With ``wait_s`` the answer is held until there is something."""
    bot = await _asking_bot(request, app)
    if query.after:
        async with app.database.begin() as conn:
            await BotStore(conn).confirm(bot.bot_id, query.after)
    found = await wait_until(
        lambda: _next_updates(bot, query, app),
        bool,
        hints=app.hints,
        channel=channel(bot.bot_id),
        wait_s=query.wait_s,
        look_again_s=WAIT_S_MAX,  # bots wait all day long, and what they wait for comes with a hint
    )
    if query.wait_s:
        await _asking_bot(request, app)  # the token, or who is told, may have changed while it waited
    return UpdatesView(items=[UpdateView(**each) for each in found])


@routes.post(
    "/v1/bot-api/dialogs/{dialog_id}/messages",
    status=(201, 200),
    errors=(BotTokenInvalidError, *SEND_ERRORS),
    summary="Send a message as a bot",
)
async def post_bot_message(request: web.Request, dialog_id: UUID, body: SendMessageBody, app: App) -> Reply[SentView]:
    bot = await bot_of(request, app)
    sent = await submit_message(body.to_command(dialog_id, bot.bot_id), app)
    view = SentView.of_fields(sent, dialog_id=dialog_id, client_message_id=body.client_message_id)
    return Reply(view, status=200 if sent.replayed else 201)


async def _next_updates(bot: Bot, query: UpdatesQuery, app: App) -> list[dict[str, Any]]:
    async with app.database.read() as conn:
        return await UpdateReads(conn, app.keys).next_after(bot.bot_id, query.after, query.limit)


async def _asking_bot(request: web.Request, app: App) -> Bot:
    """Raises ``BotTokenInvalidError``, and ``WebhookSetError`` for one whose updates are sent to it."""
    bot = await bot_of(request, app)
    if bot.webhook_url is not None:
        raise WebhookSetError
    return bot


async def bot_of(request: web.Request, app: App) -> Bot:
    """Raises ``BotTokenInvalidError``."""
    header = request.headers.get("Authorization", "")
    if header[: len(SCHEME)].lower() != SCHEME.lower():
        raise BotTokenInvalidError
    async with app.database.read() as conn:
        bot = await BotStore(conn).find_by_token(header[len(SCHEME) :].strip())
    if bot is None:
        raise BotTokenInvalidError
    return bot
