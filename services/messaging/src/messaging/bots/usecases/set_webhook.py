"""Have a bot's updates sent to a URL."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.bots.domain.bot import WebhookUrlInvalidError, new_secret
from messaging.bots.usecases.load_own_bot import load_own_bot
from messaging.bots.usecases.ports import Tx
from outgoing import Reach, UrlRefusedError, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWebhook:
    """``reach``: which addresses are let through."""

    owner_id: UUID
    bot_id: UUID
    url: str
    reach: Reach


async def set_webhook(command: SetWebhook, tx: Tx) -> str:
    """The secret that signs what is sent, shown once. Raises ``BotNotFoundError`` or ``WebhookUrlInvalidError``."""
    bot = await load_own_bot(command.owner_id, command.bot_id, tx)
    try:
        target = fold(command.url, command.reach)
    except UrlRefusedError as refused:
        raise WebhookUrlInvalidError(str(refused), pointer="/url") from None
    secret = new_secret()
    await tx.bots.set_webhook(bot.bot_id, target.url, tx.sealer.encrypt(None, secret.encode()))
    return secret
