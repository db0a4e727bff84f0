"""Record what became of deliveries: together where that works, each by itself where one of them stands in the way.

What was sent shall not be sent again: a database that is away is asked again for as long as the leases hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from eventing.failures import classify
from kernel.clock import Clock
from notification.domain.delivery import LEASE_S, Delivery, Ended, TryAgain
from notification.usecases.ports import Begin, NotificationTx, Result
from sampan.notification.v1.notification_pb2 import NotificationDelivered

log = structlog.get_logger(__name__)

AGAIN_S: Final = 0.5


async def record_results(results: Sequence[Result], begin: Begin, clock: Clock) -> None:
    """A result that cannot be recorded is told in the log; its lease runs out, and its attempts are counted."""
    give_up_at = clock.now() + timedelta(seconds=LEASE_S)
    while True:
        try:
            await _record(results, begin, clock)
        except Exception as error:
            if classify(error).transient and clock.now() < give_up_at:
                await asyncio.sleep(AGAIN_S)
                continue
            if len(results) > 1:
                for each in results:
                    await record_results([each], begin, clock)
            else:
                log.exception("delivery.unrecorded", delivery_id=str(results[0][0].delivery_id))
        return


async def _record(results: Sequence[Result], begin: Begin, clock: Clock) -> None:
    async with begin() as tx:
        recorded = await tx.deliveries.finish(results, at=clock.now())
        for delivery, result in results:
            if delivery.delivery_id in recorded:
                _announce(delivery, result, tx)


def _announce(delivery: Delivery, result: Ended | TryAgain, tx: NotificationTx) -> None:
    if not isinstance(result, Ended) or delivery.notification_id is None:
        return
    at = Timestamp()
    at.GetCurrentTime()
    tx.outbox.add(
        NotificationDelivered(
            notification_id=str(delivery.notification_id),
            user_id=str(delivery.user_id),
            channel=delivery.channel,
            status=result.status,
            failure_code=result.failure_code,
            at=at,
        )
    )
