"""Give a bot another token."""

from __future__ import annotations

from uuid import UUID

from messaging.bots.domain.bot import hash_token, new_secret
from messaging.bots.usecases.load_own_bot import load_own_bot
from messaging.bots.usecases.ports import Tx


async def renew_token(owner_id: UUID, bot_id: UUID, tx: Tx) -> str:
    """The new one; the old one is worth nothing from the commit on. Raises ``BotNotFoundError``."""
    bot = await load_own_bot(owner_id, bot_id, tx)
    token = new_secret()
    await tx.bots.set_token(bot.bot_id, hash_token(token))
    return token
