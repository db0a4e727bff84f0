"""End the places in dialogs of an account that has ended: as many transactions as there are dialogs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from messaging.core.usecases.leave_dialogs import leave_dialogs
from messaging.lifecycle.usecases.ports import Begin

# Of one account before the next has its turn.
DIALOGS_AT_ONCE: Final = 200
# What was under way when the account ended is committed or gone by then: dialogs are looked over once more.
LOOKED_OVER_AGAIN: Final = timedelta(seconds=60)


async def tidy_ended_account(user_id: UUID, requested_at: datetime, begin: Begin) -> None:
    """What they own passes on. Each step may be done again; once more later for what was under way meanwhile."""
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
