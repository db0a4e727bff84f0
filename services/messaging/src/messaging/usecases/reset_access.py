"""Somebody proved an address that a stranger may have registered before them: what the stranger left to act in their
name ends. What the account holds (dialogs, bots, messages) stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from messaging.adapters.bot_store import end_access
from messaging.adapters.ending_store import end_invites_of, end_own_acts
from messaging.adapters.transaction import MessagingTx


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetAccess:
    user_id: UUID
    reset_at: datetime


async def reset_access(command: ResetAccess, tx: MessagingTx) -> None:
    """Tokens and webhooks of bots, scheduled messages, invites and requests to join from before. The owner may make
    others; told twice it is the same.
    """
    await end_access(tx.conn, command.user_id, command.reset_at)
    await end_own_acts(tx.conn, command.user_id, until=command.reset_at)
    await end_invites_of(tx.conn, command.user_id, until=command.reset_at, now=tx.now)
