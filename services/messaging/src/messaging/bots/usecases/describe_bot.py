"""Give a bot another name and other commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from messaging.bots.domain.bot import Bot
from messaging.bots.usecases.load_own_bot import load_own_bot
from messaging.bots.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeBot:
    owner_id: UUID
    bot_id: UUID
    display_name: str
    commands: Sequence[Mapping[str, str]]


async def describe_bot(command: DescribeBot, tx: Tx) -> Bot:
    """The bot as it is now. Raises ``BotNotFoundError``."""
    bot = await load_own_bot(command.owner_id, command.bot_id, tx)
    changed = replace(bot, display_name=command.display_name, commands=command.commands)
    await tx.bots.describe(changed)
    await tx.bots.upsert_account(changed)
    return changed
