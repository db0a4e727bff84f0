"""A person's account ended: what was known of them is erased, what they were told too, and nothing more is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notification.usecases.ports import NotificationTx


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAccount:
    user_id: UUID
    ended_at: datetime


async def end_account(cmd: EndAccount, tx: NotificationTx) -> None:
    """Also for a person not heard of yet: what is told of them later changes nothing.

    Codes under way to their addresses end too; one asked for after the account ended is another person's.
    """
    known = await tx.recipients.end(cmd.user_id, at=cmd.ended_at)
    await tx.deliveries.end_of(known, at=cmd.ended_at)
    await tx.notifications.erase_of(cmd.user_id)
