"""A person's account ended: what was known of them is erased, what they were told too, and nothing more is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from notification.domain.ids import UserId
from notification.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAccount:
    user_id: UserId
    ended_at: datetime


async def end_account(command: EndAccount, tx: Tx) -> None:
    """Also for a person who is not known yet: what is told of them later changes nothing.

    Codes under way to their addresses end too; one asked for after the account ended is another person's.
    """
    known = await tx.recipients.end(command.user_id, at=command.ended_at)
    await tx.deliveries.end_of(known, at=command.ended_at)
    await tx.notifications.erase_of(command.user_id)
