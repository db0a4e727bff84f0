"""Keep what came of a scheduled message, and tell the person's devices."""

from __future__ import annotations

from messaging.core.usecases.announce_scheduled import announce_scheduled
from messaging.scheduling.domain.scheduled import Outcome, Scheduled
from messaging.scheduling.usecases.ports import Tx


async def settle_scheduled(due: Scheduled, outcome: Outcome, tx: Tx) -> None:
    """What is to be tried again lets the others go first. What was settled before, or called back, stays as it is."""
    if not outcome.final:
        await tx.scheduled.put_off(due.scheduled_id, tx.now + due.retry_after(outcome))
    elif await tx.scheduled.settle(due.scheduled_id, outcome):
        change = {"scheduled_id": due.scheduled_id, "failure_code": outcome.failure_code, "seq": outcome.seq}
        status = "failed" if outcome.failure_code else "sent"
        announce_scheduled(due.user_id, due.dialog_id, tx, status=status, **change)
