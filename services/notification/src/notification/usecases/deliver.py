"""Send what waits: lease a few deliveries, send them side by side, record what became of each right after it is known.

It crosses the network between transactions. One delivery's fault is that delivery's outcome: whatever a gateway raises
or however long it hangs, the others are sent and recorded. A crash between sending and recording leaves a lease that
runs out; the delivery is then sent again under the same id, which SMS providers recognise. Of e-mails those may arrive
twice, with one Message-ID, that were taken by the server and not yet recorded when the process died.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import structlog

from kernel.clock import Clock
from kernel.tasks import stop_tasks
from notification.domain.delivery import (
    ACCOUNT_ENDED_CODE,
    SEND_S,
    TIMED_OUT_CODE,
    UNEXPECTED_CODE,
    Delivery,
    Outcome,
    Refused,
    Unknown,
    after_attempt,
    refusal_before_sending,
)
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient
from notification.usecases.ports import Begin, ChannelGateway, Result
from notification.usecases.record_results import record_results

log = structlog.get_logger(__name__)

GATHER_S: Final = 0.05  # results of so long share a transaction; a crash may send them again


async def deliver(
    begin: Begin,
    gateways: Mapping[Channel, ChannelGateway],
    clock: Clock,
    *,
    urgent: bool,
    limit: int,
    send_s: float = SEND_S,
) -> int:
    """Send up to ``limit`` due deliveries of one lane at once. Returns how many were tried.

    ``send_s``: how long one attempt may take, waiting for its turn included.
    """
    async with begin() as tx:
        due = await tx.deliveries.lease(urgent=urgent, limit=limit, now=clock.now())
        recipients = await tx.recipients.get_many([each.user_id for each in due if each.user_id])
    sending = {asyncio.create_task(_attempt(each, recipients, gateways, clock, send_s)) for each in due}
    try:
        while sending:
            await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
            ended, sending = await asyncio.wait(sending, timeout=GATHER_S)
            await record_results([each.result() for each in ended], begin, clock)
    finally:
        await stop_tasks(*sending)
    return len(due)


async def _attempt(
    delivery: Delivery,
    recipients: Mapping[UUID, Recipient],
    gateways: Mapping[Channel, ChannelGateway],
    clock: Clock,
    send_s: float,
) -> Result:
    """Whatever happens is the outcome of this delivery alone."""
    try:
        async with asyncio.timeout(send_s):
            outcome = await _send(delivery, recipients, gateways, clock)
        return _result(delivery, outcome, clock)
    except TimeoutError:
        return _result(delivery, Unknown(TIMED_OUT_CODE), clock)
    except Exception:
        log.exception("delivery.failed", delivery_id=str(delivery.delivery_id), channel=delivery.channel)
        return _result(delivery, Unknown(UNEXPECTED_CODE), clock)


def _result(delivery: Delivery, outcome: Outcome, clock: Clock) -> Result:
    jitter = random.random()  # noqa: S311 -- jitter
    return delivery, after_attempt(delivery, outcome, now=clock.now(), jitter=jitter)


async def _send(
    delivery: Delivery,
    recipients: Mapping[UUID, Recipient],
    gateways: Mapping[Channel, ChannelGateway],
    clock: Clock,
) -> Outcome:
    if refusal := refusal_before_sending(delivery, clock.now()):
        return refusal
    recipient = recipients.get(delivery.user_id) if delivery.user_id else None
    if delivery.user_id and recipient is None:
        return Unknown("notification.recipient.not_known_yet")
    if recipient is not None and recipient.has_ended:
        return Refused(ACCOUNT_ENDED_CODE)
    gateway = gateways.get(delivery.channel)
    if gateway is None:
        return Refused("notification.channel.not_configured")
    return await gateway.send(delivery, recipient)
