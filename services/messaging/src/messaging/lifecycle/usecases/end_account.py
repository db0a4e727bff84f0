"""End an account, a person's or a bot's: from the commit on it can be reached by nobody and does nothing more.

What it wrote stays until its erasure. Its places in dialogs end right after, in transactions of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from messaging.core.domain.stream import PresenceVisibilityChanged
from messaging.lifecycle.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAccount:
    user_id: UUID
    ended_at: datetime


async def end_account(command: EndAccount, tx: Tx) -> None:
    """Told twice, or of somebody nobody has heard of, it is the same."""
    bots = await tx.bots.close_of(command.user_id, tx.now)
    await tx.endings.end_accounts([command.user_id, *bots], command.ended_at, tx.now)
    await tx.endings.end_own_acts(command.user_id)
    tx.hints.visibility_changed(PresenceVisibilityChanged(command.user_id))
