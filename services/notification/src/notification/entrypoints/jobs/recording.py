"""Records what became of deliveries: together where that works, each by itself where one of them stands in the way.

What was sent shall not be sent again: a database that is away is asked again for as long as the leases hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Final

import structlog

from eventing.failures import classify
from kernel.clock import Clock
from notification.adapters.transaction import NotificationTx
from notification.domain.delivery import LEASE_S, Result
from notification.usecases.record_results import RecordResults, record_results

log = structlog.get_logger(__name__)

AGAIN_S: Final = 0.5
Begin = Callable[[], AbstractAsyncContextManager[NotificationTx]]


async def record_with_retries(results: Sequence[Result], begin: Begin, clock: Clock) -> None:
    """A result that cannot be recorded is in the log; its lease runs out, and its attempts are counted."""
    give_up_at = clock.now() + timedelta(seconds=LEASE_S)
    while True:
        try:
            async with begin() as tx:
                await record_results(RecordResults(results), tx)
        except Exception as error:
            if classify(error).transient and clock.now() < give_up_at:
                await asyncio.sleep(AGAIN_S)
                continue
            if len(results) > 1:
                for each in results:
                    await record_with_retries([each], begin, clock)
            else:
                log.exception("delivery.unrecorded", delivery_id=str(results[0][0].delivery_id))
        return
