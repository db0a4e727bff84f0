"""Give back the money of holds whose time is over.

Expiry and capture meet in the ledger, which lets one of them win; whoever comes second is told.
"""

from __future__ import annotations

from payment.domain.ledger import Expire, Outcome
from payment.usecases.ports import Begin

BATCH = 500


async def expire_holds(begin: Begin) -> int:
    """One round; returns how many holds expired."""
    async with begin() as tx:
        due = await tx.holds.due(tx.clock.now(), count=BATCH)
        if not due:
            return 0
        answers = await tx.ledger.apply([Expire(hold_id=hold_id) for hold_id in due])
    return sum(answer.outcome == Outcome.DONE for answer in answers)
