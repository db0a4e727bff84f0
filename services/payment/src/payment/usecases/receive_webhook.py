"""A provider's webhook: taken once, and no more trusted about order than the post."""

from __future__ import annotations

from payment.usecases.ports import Tx, WebhookEvent
from payment.usecases.record_charge import record_charge


async def receive_webhook(event: WebhookEvent, tx: Tx) -> bool:
    """False for a repeat of the same event."""
    if not await tx.top_ups.add_event(event.charge.provider, event.event_id, tx.now):
        return False
    await record_charge(event.charge, tx)
    return True
