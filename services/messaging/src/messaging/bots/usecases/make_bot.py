"""Make a bot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from kernel.ids import uuid7
from messaging.bots.domain.bot import BOTS_MAX, Bot, BotNameTakenError, TooManyBotsError, hash_token, new_secret
from messaging.bots.usecases.ports import Tx
from messaging.core.domain.allowance import Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeBot:
    owner_id: UUID
    username: str
    display_name: str
    commands: Sequence[Mapping[str, str]]


async def make_bot(command: MakeBot, tx: Tx) -> tuple[Bot, str]:
    """The bot and its token, which is shown once. Raises ``TooManyBotsError`` or ``BotNameTakenError``."""
    await tx.allowances.hold(command.owner_id, Allowance.BOTS)
    if len(await tx.bots.of_owner(command.owner_id)) >= BOTS_MAX:
        raise TooManyBotsError
    token = new_secret()
    bot = Bot(
        bot_id=uuid7(),
        owner_id=command.owner_id,
        username=command.username,
        display_name=command.display_name,
        commands=command.commands,
        created_at=tx.now,
    )
    if not await tx.bots.add(bot, hash_token(token)):
        raise BotNameTakenError(pointer="/username")
    await tx.bots.upsert_account(bot)
    return bot, token
