"""Record what became of deliveries, and tell others of those that ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notification.domain.delivery import Ended, Result
from notification.usecases.ports import Tx


@dataclass(frozen=True, slots=True)
class RecordResults:
    results: Sequence[Result]


async def record_results(command: RecordResults, tx: Tx) -> None:
    """Of a code no event says how it ended: it has no notification."""
    now = tx.now
    recorded = await tx.deliveries.finish(command.results, at=now)
    for delivery, result in command.results:
        if delivery.delivery_id in recorded and isinstance(result, Ended) and delivery.notification_id is not None:
            tx.events.notification_delivered(delivery, result, at=now)
