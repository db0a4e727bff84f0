"""Note for people the steps of their orders."""

from __future__ import annotations

from collections.abc import Iterable

from messaging.activity.domain.activity import Activity, ActivityType, OrderStep
from messaging.activity.usecases.ports import Tx


async def note_orders(steps: Iterable[OrderStep], tx: Tx) -> None:
    await tx.activities.add(
        [
            Activity(
                user_id=each,
                type=ActivityType.ORDER,
                dedupe_key=f"order:{step.order_id}:{step.status}",
                payload={"order_id": str(step.order_id), "order_number": step.number, "status": step.status},
                created_at=step.at,
            )
            for step in steps
            for each in sorted(set(step.people))
        ]
    )
