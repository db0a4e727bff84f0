"""Let a bot ask for its updates again."""

from __future__ import annotations

from uuid import UUID

from messaging.bots.usecases.load_own_bot import load_own_bot
from messaging.bots.usecases.ports import Tx


async def remove_webhook(owner_id: UUID, bot_id: UUID, tx: Tx) -> None:
    """Raises ``BotNotFoundError``; one without a webhook stays without."""
    bot = await load_own_bot(owner_id, bot_id, tx)
    await tx.bots.set_webhook(bot.bot_id, None, None)
