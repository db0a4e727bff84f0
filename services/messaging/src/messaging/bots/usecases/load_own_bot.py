"""Find a bot for whoever owns it."""

from __future__ import annotations

from uuid import UUID

from messaging.bots.domain.bot import Bot, BotNotFoundError
from messaging.bots.usecases.ports import Tx


async def load_own_bot(owner_id: UUID, bot_id: UUID, tx: Tx) -> Bot:
    """Raises ``BotNotFoundError`` also for another's."""
    bot = await tx.bots.find(bot_id)
    if bot is None or bot.owner_id != owner_id:
        raise BotNotFoundError
    return bot
