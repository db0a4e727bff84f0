"""Routes for bots themselves: who am I, what happened, send. The bot's token is ``Authorization: Bot …``."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from aiohttp import web
from pydantic import Field

from chassis.http import Query, RateLimit, Reply, Routes, View
from messaging.bots.adapters.bot_store import BotStore
from messaging.bots.domain.bot import Bot, BotTokenInvalidError, WebhookSetError
from messaging.bots.entrypoints.bot_updates import channel, next_updates
from messaging.bots.entrypoints.routes.bots import BotFaceView
from messaging.core.entrypoints.posting import send
from messaging.core.entrypoints.routes.messages import SEND_ERRORS
from messaging.core.entrypoints.schemas.messages import SendMessageBody, SentView
from messaging.wiring import App

routes = Routes(tag="bot api")
SCHEME: Final = "Bot "
LIMIT = RateLimit("bot-api", per_address=6000, window_s=60, fails="open")


class UpdatesQuery(Query):
    """``after``: the last ``update_id`` that was taken care of; everything up to it is forgotten."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    wait_s: Annotated[float, Field(ge=0, le=10)] = 0.0


class UpdateView(View):
    """``event`` has the shape of a realtime frame."""

    update_id: int
    event: dict[str, Any]


class UpdatesView(View):
    items: list[UpdateView]


@routes.get("/v1/bot-api/me", auth="public", limit=LIMIT, errors=(BotTokenInvalidError,), summary="Who am I")
async def get_me(request: web.Request, app: App) -> BotFaceView:
    bot = await bot_of(request, app)
    return BotFaceView(**{name: getattr(bot, name) for name in BotFaceView.model_fields})


@routes.get(
    "/v1/bot-api/updates",
    auth="public",
    limit=LIMIT,
    errors=(BotTokenInvalidError, WebhookSetError),
    summary="What happened",
)
async def get_updates(request: web.Request, query: UpdatesQuery, app: App) -> UpdatesView:
    """In order. With ``wait_s`` the answer is held until there is something."""
    bot = await _asking_bot(request, app)
    if query.after:
        async with app.database.begin() as conn:
            await BotStore(conn).confirm(bot.bot_id, query.after)
    async with app.hints.listen(channel(bot.bot_id)) as bell:
        found = await next_updates(app, bot, query.after, query.limit)
        if not found and query.wait_s:
            await bell.wait(query.wait_s)
            bot = await _asking_bot(request, app)  # the token, or who is told, may have changed while it waited
            found = await next_updates(app, bot, query.after, query.limit)
    return UpdatesView(items=[UpdateView(**each) for each in found])


@routes.post(
    "/v1/bot-api/dialogs/{dialog_id}/messages",
    status=(201, 200),
    auth="public",
    idempotency="none",
    limit=LIMIT,
    errors=(BotTokenInvalidError, *SEND_ERRORS),
    summary="Send a message as a bot",
)
async def post_bot_message(request: web.Request, dialog_id: UUID, body: SendMessageBody, app: App) -> Reply[SentView]:
    bot = await bot_of(request, app)
    sent = await send(app, bot.bot_id, dialog_id, body)
    view = SentView(
        dialog_id=dialog_id,
        seq=sent.seq,
        client_message_id=body.client_message_id,
        sent_at=sent.sent_at,
        replayed=sent.replayed,
    )
    return Reply(view, status=200 if sent.replayed else 201)


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
        bot = await BotStore(conn).bot_of_token(header[len(SCHEME) :].strip())
    if bot is None:
        raise BotTokenInvalidError
    return bot
