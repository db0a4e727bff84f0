"""Routes of bots for the people who own them, and their public face."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from chassis.http import Body, Name, RateLimit, Reply, Routes, View
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.bots.adapters.bot_store import BotStore
from messaging.bots.domain.bot import Bot, BotNameTakenError, BotNotFoundError, TooManyBotsError, WebhookUrlInvalidError
from messaging.bots.usecases.manage_bots import (
    delete_bot,
    describe_bot,
    drop_webhook,
    make_bot,
    own_bot,
    point_webhook,
    renew_token,
)
from messaging.core.usecases.hold_access import hold_access
from messaging.wiring import App

routes = Routes(tag="bots")
LIMIT = RateLimit("bots", per_user=60, window_s=60, fails="open")
NO_STORE = {"Cache-Control": "no-store"}
DisplayName = Annotated[Name, Field(min_length=2, max_length=64)]


class CommandBody(Body):
    """``command`` without its slash."""

    command: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
    description: Annotated[Name, Field(min_length=1, max_length=200)]


def _differ(commands: list[CommandBody]) -> list[CommandBody]:
    if len({each.command for each in commands}) != len(commands):
        raise ValueError("a command is there once")
    return commands


Commands = Annotated[list[CommandBody], Field(default_factory=list, max_length=50), AfterValidator(_differ)]


class MakeBotBody(Body):
    """``username`` ends in ``bot``, so that people know."""

    username: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,28}bot$")]
    display_name: DisplayName
    commands: Commands


class DescribeBotBody(Body):
    display_name: DisplayName
    commands: Commands


class WebhookBody(Body):
    url: Annotated[str, Field(min_length=8, max_length=500)]


class CommandView(View):
    command: str
    description: str


class BotFaceView(View):
    """What everybody sees."""

    bot_id: UUID
    username: str
    display_name: str
    commands: list[CommandView]


class BotView(BotFaceView):
    """What the owner sees. ``failures``: how often in a row the webhook was not taken."""

    webhook_url: str | None
    failures: int
    failing_since: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, bot: Bot) -> BotView:
        return cls(**{name: getattr(bot, name) for name in cls.model_fields})


class NewBotView(BotView):
    """``token`` is shown here and never again."""

    token: str


class BotsView(View):
    items: list[BotView]


class TokenView(View):
    token: str


class SecretView(View):
    """``secret`` signs every call; it is shown here and never again."""

    secret: str


@routes.post("/v1/bots", status=201, limit=LIMIT, errors=(BotNameTakenError, TooManyBotsError), summary="Make a bot")
async def post_bot(body: MakeBotBody, principal: Principal, tx: MessagingTx) -> Reply[NewBotView]:
    await hold_access(principal.user_id, principal.access_epoch, tx)
    commands = [each.model_dump() for each in body.commands]
    bot, token = await make_bot(principal.user_id, body.username, body.display_name, commands, tx)
    return Reply(NewBotView(**BotView.of(bot).model_dump(), token=token), status=201, headers=NO_STORE)


@routes.get("/v1/bots", summary="List your bots")
async def get_bots(principal: Principal, app: App) -> BotsView:
    async with app.database.read() as conn:
        return BotsView(items=[BotView.of(bot) for bot in await BotStore(conn).of_owner(principal.user_id)])


@routes.get("/v1/bots/{bot_id}", errors=(BotNotFoundError,), summary="Look at a bot")
async def get_bot(bot_id: UUID, principal: Principal, app: App) -> BotFaceView:
    """Anybody's."""
    del principal
    async with app.database.read() as conn:
        bot = await BotStore(conn).find(bot_id)
    if bot is None:
        raise BotNotFoundError
    return BotFaceView(**{name: getattr(bot, name) for name in BotFaceView.model_fields})


@routes.put("/v1/bots/{bot_id}", limit=LIMIT, errors=(BotNotFoundError,), summary="Describe your bot anew")
async def put_bot(bot_id: UUID, body: DescribeBotBody, principal: Principal, tx: MessagingTx) -> BotView:
    bot = await own_bot(principal.user_id, bot_id, tx)
    commands = [each.model_dump() for each in body.commands]
    return BotView.of(await describe_bot(bot, body.display_name, commands, tx))


@routes.delete("/v1/bots/{bot_id}", limit=LIMIT, errors=(BotNotFoundError,), summary="End your bot")
async def remove_bot(bot_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    """Its token is worth nothing from then on; what it wrote stays."""
    await delete_bot(await own_bot(principal.user_id, bot_id, tx), tx)


@routes.post(
    "/v1/bots/{bot_id}/token",
    status=200,
    idempotency="none",
    limit=LIMIT,
    errors=(BotNotFoundError,),
    summary="Give your bot another token",
)
async def post_token(bot_id: UUID, principal: Principal, tx: MessagingTx) -> Reply[TokenView]:
    """The old one is worth nothing from then on."""
    await hold_access(principal.user_id, principal.access_epoch, tx)
    token = await renew_token(await own_bot(principal.user_id, bot_id, tx), tx)
    return Reply(TokenView(token=token), headers=NO_STORE)


@routes.put(
    "/v1/bots/{bot_id}/webhook",
    limit=LIMIT,
    errors=(BotNotFoundError, WebhookUrlInvalidError),
    summary="Have updates sent to a URL",
)
async def put_webhook(
    bot_id: UUID, body: WebhookBody, principal: Principal, app: App, tx: MessagingTx
) -> Reply[SecretView]:
    """Each call is signed in ``X-Sampan-Signature``, and repeated until it is answered with 2xx."""
    await hold_access(principal.user_id, principal.access_epoch, tx)
    bot = await own_bot(principal.user_id, bot_id, tx)
    secret = await point_webhook(bot, body.url, tx, local=app.settings.environment != "production")
    return Reply(SecretView(secret=secret), headers=NO_STORE)


@routes.delete("/v1/bots/{bot_id}/webhook", limit=LIMIT, errors=(BotNotFoundError,), summary="Ask for updates again")
async def delete_webhook(bot_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    await drop_webhook(await own_bot(principal.user_id, bot_id, tx), tx)
