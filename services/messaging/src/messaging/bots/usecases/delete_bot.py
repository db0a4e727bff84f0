"""End a bot."""

from __future__ import annotations

from uuid import UUID

from messaging.bots.usecases.load_own_bot import load_own_bot
from messaging.bots.usecases.ports import Tx


async def delete_bot(owner_id: UUID, bot_id: UUID, tx: Tx) -> None:
    """Nobody can write to it, add it or open it from the commit on; its places in dialogs end right after.

    Raises ``BotNotFoundError``.
    """
    bot = await load_own_bot(owner_id, bot_id, tx)
    await tx.bots.close([bot.bot_id], tx.now)
    await tx.endings.end_accounts([bot.bot_id], tx.now, tx.now)
