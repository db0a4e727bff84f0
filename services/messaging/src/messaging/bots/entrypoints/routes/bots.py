"""Routes of bots for the people who own them, and their public face."""

from __future__ import annotations

from uuid import UUID

from chassis.http import RateLimit, Reply, Routes
from chassis.tokens import Principal
from kernel.rows import object_of
from messaging.adapters.transaction import MessagingTx
from messaging.bots.adapters.bot_store import BotStore
from messaging.bots.domain.bot import BotNameTakenError, BotNotFoundError, TooManyBotsError, WebhookUrlInvalidError
from messaging.bots.entrypoints.schemas.bots import (
    BotFaceView,
    BotsView,
    BotView,
    DescribeBotBody,
    MakeBotBody,
    NewBotView,
    SecretView,
    TokenView,
    WebhookBody,
)
from messaging.bots.usecases.delete_bot import delete_bot
from messaging.bots.usecases.describe_bot import DescribeBot, describe_bot
from messaging.bots.usecases.make_bot import MakeBot, make_bot
from messaging.bots.usecases.remove_webhook import remove_webhook
from messaging.bots.usecases.renew_token import renew_token
from messaging.bots.usecases.set_webhook import SetWebhook, set_webhook
from messaging.core.usecases.hold_access import hold_access
from messaging.wiring import App
from outgoing import LOCAL, PUBLIC

routes = Routes(tag="bots")
LIMIT = RateLimit("bots", per_user=60, window_s=60, fails="open")
NO_STORE = {"Cache-Control": "no-store"}
changes = routes.sharing(limit=LIMIT)


@changes.post("/v1/bots", status=201, errors=(BotNameTakenError, TooManyBotsError), summary="Make a bot")
async def post_bot(body: MakeBotBody, principal: Principal, tx: MessagingTx) -> Reply[NewBotView]:
    await hold_access(principal.user_id, principal.access_epoch, tx)
    command = object_of(MakeBot, body.model_dump(), owner_id=principal.user_id)
    bot, token = await make_bot(command, tx)
    return Reply(NewBotView.of_fields(bot, token=token), status=201, headers=NO_STORE)


@routes.get("/v1/bots", summary="List your bots")
async def get_bots(principal: Principal, app: App) -> BotsView:
    async with app.database.read() as conn:
        return BotsView(items=[BotView.of_fields(bot) for bot in await BotStore(conn).of_owner(principal.user_id)])


@routes.get("/v1/bots/{bot_id}", errors=(BotNotFoundError,), summary="Look at a bot")
async def get_bot(bot_id: UUID, principal: Principal, app: App) -> BotFaceView:
    """Anybody's."""
    del principal
    async with app.database.read() as conn:
        bot = await BotStore(conn).find(bot_id)
    if bot is None:
        raise BotNotFoundError
    return BotFaceView.of_fields(bot)


@changes.put("/v1/bots/{bot_id}", errors=(BotNotFoundError,), summary="Describe your bot anew")
async def put_bot(bot_id: UUID, body: DescribeBotBody, principal: Principal, tx: MessagingTx) -> BotView:
    command = object_of(DescribeBot, body.model_dump(), owner_id=principal.user_id, bot_id=bot_id)
    return BotView.of_fields(await describe_bot(command, tx))


@changes.delete("/v1/bots/{bot_id}", errors=(BotNotFoundError,), summary="End your bot")
async def remove_bot(bot_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    """Its token is worth nothing from then on; what it wrote stays."""
    await delete_bot(principal.user_id, bot_id, tx)


@changes.post(
    "/v1/bots/{bot_id}/token", idempotency="none", errors=(BotNotFoundError,), summary="Give your bot another token"
)
async def post_token(bot_id: UUID, principal: Principal, tx: MessagingTx) -> Reply[TokenView]:
    """The old one is worth nothing from then on."""
    await hold_access(principal.user_id, principal.access_epoch, tx)
    token = await renew_token(principal.user_id, bot_id, tx)
    return Reply(TokenView(token=token), headers=NO_STORE)


@changes.put(
    "/v1/bots/{bot_id}/webhook", errors=(BotNotFoundError, WebhookUrlInvalidError), summary="Have updates sent to a URL"
)
async def put_webhook(
    bot_id: UUID, body: WebhookBody, principal: Principal, app: App, tx: MessagingTx
) -> Reply[SecretView]:
    """Each call is signed in ``X-Sampan-Signature``, and repeated until it is answered with 2xx."""
    await hold_access(principal.user_id, principal.access_epoch, tx)
    reach = PUBLIC if app.settings.environment == "production" else LOCAL
    command = SetWebhook(owner_id=principal.user_id, bot_id=bot_id, url=body.url, reach=reach)
    return Reply(SecretView(secret=await set_webhook(command, tx)), headers=NO_STORE)


@changes.delete("/v1/bots/{bot_id}/webhook", errors=(BotNotFoundError,), summary="Ask for updates again")
async def delete_webhook(bot_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    await remove_webhook(principal.user_id, bot_id, tx)
