"""End an account, a person's or a bot's: from the commit on it can be reached by nobody and does nothing more.

What it wrote stays until its erasure. Its places in dialogs end right after, in transactions of their own: as many as
there are dialogs, and each may be done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from messaging.core.adapters.ending_store import LOOKED_OVER_AGAIN
from messaging.core.domain.stream import PresenceVisibilityChanged
from messaging.core.usecases.leave_dialogs import leave_dialogs
from messaging.lifecycle.usecases.ports import Begin, Tx

# Of one account before the next has its turn.
DIALOGS_AT_ONCE: Final = 200


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


async def tidy_after(user_id: UUID, requested_at: datetime, begin: Begin) -> None:
    """Their places in dialogs end, and what they own passes on; once more later for what was under way meanwhile."""
    more = await leave_dialogs(begin, user_id, DIALOGS_AT_ONCE)
    async with begin() as tx:
        if more:
            await tx.endings.put_ending_off(user_id, tx.now)
            return
        again_at = requested_at + LOOKED_OVER_AGAIN
        if tx.now < again_at:
            await tx.endings.put_ending_off(user_id, again_at)
            return
        bots = await tx.bots.close_of(user_id, tx.now)
        await tx.endings.end_accounts(bots, tx.now, tx.now)
        await tx.endings.end_own_acts(user_id)
        await tx.endings.put_ending_off(user_id, None)
