"""Make a bot, change it, give it another token, point its webhook, end it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from kernel.ids import uuid7
from messaging.bots.adapters.bot_store import (
    Bot,
    add_bot,
    bots_of,
    change_bot,
    close_bots,
    find_bot,
    keep_face,
    set_token,
    set_webhook,
    token_hash,
)
from messaging.bots.domain.bot import (
    BOTS_MAX,
    BotNameTakenError,
    BotNotFoundError,
    TooManyBotsError,
    WebhookUrlInvalidError,
)
from messaging.core.adapters.allowance_store import Allowance, hold_allowance
from messaging.core.adapters.ending_store import end_accounts
from messaging.core.adapters.transaction import MessagingTx
from outgoing import LOCAL, PUBLIC, UrlRefusedError, fold

TOKEN_BYTES: Final = 32
SECRET_BYTES: Final = 32


async def make_bot(
    owner_id: UUID, username: str, display_name: str, commands: Sequence[Mapping[str, str]], tx: MessagingTx
) -> tuple[Bot, str]:
    """The bot and its token, which is shown once."""
    await hold_allowance(tx.conn, owner_id, Allowance.BOTS)
    if len(await bots_of(tx.conn, owner_id)) >= BOTS_MAX:
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
    if not await add_bot(tx.conn, bot, token_hash(token)):
        raise BotNameTakenError(pointer="/username")
    await keep_face(tx.conn, bot)
    return bot, token


async def own_bot(owner_id: UUID, bot_id: UUID, tx: MessagingTx) -> Bot:
    """Raises ``BotNotFoundError`` for another's."""
    bot = await find_bot(tx.conn, bot_id)
    if bot is None or bot.owner_id != owner_id:
        raise BotNotFoundError
    return bot


async def describe_bot(bot: Bot, display_name: str, commands: Sequence[Mapping[str, str]], tx: MessagingTx) -> Bot:
    changed = replace(bot, display_name=display_name, commands=commands)
    await change_bot(tx.conn, bot.bot_id, display_name, commands)
    await keep_face(tx.conn, changed)
    return changed


async def renew_token(bot: Bot, tx: MessagingTx) -> str:
    """The old one is worth nothing from the commit on."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await set_token(tx.conn, bot.bot_id, token_hash(token))
    return token


async def point_webhook(bot: Bot, url: str, tx: MessagingTx, *, local: bool) -> str:
    """The secret that signs what is sent, shown once. ``local``: this machine's own addresses are let through."""
    try:
        target = fold(url, LOCAL if local else PUBLIC)
    except UrlRefusedError as refused:
        raise WebhookUrlInvalidError(str(refused), pointer="/url") from None
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await set_webhook(tx.conn, bot.bot_id, target.url, tx.sealer.encrypt(None, secret.encode()))
    return secret


async def drop_webhook(bot: Bot, tx: MessagingTx) -> None:
    await set_webhook(tx.conn, bot.bot_id, None, None)


async def delete_bot(bot: Bot, tx: MessagingTx) -> None:
    """Nobody can write to it, add it or open it from the commit on; its places in dialogs end right after."""
    await close_bots(tx.conn, [bot.bot_id], tx.now)
    await end_accounts(tx.conn, [bot.bot_id], tx.now, tx.now)
