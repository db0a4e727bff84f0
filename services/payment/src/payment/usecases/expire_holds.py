"""Give back the money of holds whose time is over.

Expiry and capture meet in the ledger, which lets one of them win; the second is refused. A hold that cannot be
expired waits by itself (``attempt_batch``).
"""

from __future__ import annotations

from collections.abc import Sequence

from payment.domain.ids import HoldId
from payment.domain.ledger import Expire
from payment.usecases.attempt_batch import attempt_batch
from payment.usecases.ports import EXPIRE_HOLDS, Begin

BATCH = 500


async def expire_holds(begin: Begin) -> int:
    """One round; returns how many holds it was done with."""
    async with begin() as tx:
        due = await tx.holds.due(tx.now, count=BATCH)
    if not due:
        return 0

    async def work(hold_ids: Sequence[HoldId]) -> None:
        async with begin() as tx:
            await tx.ledger.apply([Expire(hold_id=hold_id) for hold_id in hold_ids])

    return await attempt_batch(EXPIRE_HOLDS, due, work, begin, name=str)
