"""Make a bot, change it, give it another token, point its webhook, end it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from kernel.ids import uuid7
from messaging.bots.adapters.bot_store import token_hash
from messaging.bots.domain.bot import (
    BOTS_MAX,
    Bot,
    BotNameTakenError,
    BotNotFoundError,
    TooManyBotsError,
    WebhookUrlInvalidError,
)
from messaging.bots.usecases.ports import Tx
from messaging.core.domain.allowance import Allowance
from outgoing import LOCAL, PUBLIC, UrlRefusedError, fold

TOKEN_BYTES: Final = 32
SECRET_BYTES: Final = 32


async def make_bot(
    owner_id: UUID, username: str, display_name: str, commands: Sequence[Mapping[str, str]], tx: Tx
) -> tuple[Bot, str]:
    """The bot and its token, which is shown once."""
    await tx.allowances.hold(owner_id, Allowance.BOTS)
    if len(await tx.bots.of_owner(owner_id)) >= BOTS_MAX:
        raise TooManyBotsError
    token = secrets.token_urlsafe(TOKEN_BYTES)
    bot = Bot(
        bot_id=uuid7(),
        owner_id=owner_id,
        username=username,
        display_name=display_name,
        commands=commands,
        webhook_url=None,
        webhook_secret=None,
        failing_since=None,
        failures=0,
        last_update_id=0,
        created_at=tx.now,
    )
    if not await tx.bots.add(bot, token_hash(token)):
        raise BotNameTakenError(pointer="/username")
    await tx.bots.upsert_account(bot)
    return bot, token


async def own_bot(owner_id: UUID, bot_id: UUID, tx: Tx) -> Bot:
    """Raises ``BotNotFoundError`` for another's."""
    bot = await tx.bots.find(bot_id)
    if bot is None or bot.owner_id != owner_id:
        raise BotNotFoundError
    return bot


async def describe_bot(bot: Bot, display_name: str, commands: Sequence[Mapping[str, str]], tx: Tx) -> Bot:
    changed = replace(bot, display_name=display_name, commands=commands)
    await tx.bots.change(bot.bot_id, display_name, commands)
    await tx.bots.upsert_account(changed)
    return changed


async def renew_token(bot: Bot, tx: Tx) -> str:
    """The old one is worth nothing from the commit on."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await tx.bots.set_token(bot.bot_id, token_hash(token))
    return token


async def point_webhook(bot: Bot, url: str, tx: Tx, *, local: bool) -> str:
    """The secret that signs what is sent, shown once. ``local``: this machine's own addresses are let through."""
    try:
        target = fold(url, LOCAL if local else PUBLIC)
    except UrlRefusedError as refused:
        raise WebhookUrlInvalidError(str(refused), pointer="/url") from None
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await tx.bots.set_webhook(bot.bot_id, target.url, tx.sealer.encrypt(None, secret.encode()))
    return secret


async def drop_webhook(bot: Bot, tx: Tx) -> None:
    await tx.bots.set_webhook(bot.bot_id, None, None)


async def delete_bot(bot: Bot, tx: Tx) -> None:
    """Nobody can write to it, add it or open it from the commit on; its places in dialogs end right after."""
    await tx.bots.close_bots([bot.bot_id], tx.now)
    await tx.endings.end_accounts([bot.bot_id], tx.now, tx.now)
