"""Send what waits: lease a few deliveries, send them, record what became of each.

It crosses the network between two transactions. A crash in between leaves a lease that runs out; the delivery is then
sent again under the same id, which SMS providers recognise; an e-mail may arrive twice with one Message-ID.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from kernel.clock import Clock
from notification.domain.delivery import Delivery, Ended, Outcome, Refused, TryAgain, Unknown, after_attempt
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient
from notification.usecases.ports import Begin, ChannelGateway, NotificationTx
from sampan.notification.v1.notification_pb2 import NotificationDelivered


async def deliver(
    begin: Begin, gateways: Mapping[Channel, ChannelGateway], clock: Clock, *, urgent: bool, limit: int
) -> int:
    """Send up to ``limit`` due deliveries of one lane at once. Returns how many were tried."""
    async with begin() as tx:
        due = await tx.deliveries.lease(urgent=urgent, limit=limit, now=clock.now())
        recipients = await tx.recipients.get_many([each.user_id for each in due if each.user_id])
    if not due:
        return 0
    outcomes = await asyncio.gather(*(_send(each, recipients, gateways, clock) for each in due))
    now = clock.now()
    results = [
        (each, after_attempt(each, outcome, now=now, jitter=random.random()))  # noqa: S311 -- jitter
        for each, outcome in zip(due, outcomes, strict=True)
    ]
    async with begin() as tx:
        await tx.deliveries.finish(results, at=now)
        for each, result in results:
            _announce(each, result, tx)
    return len(due)


async def _send(
    delivery: Delivery,
    recipients: Mapping[UUID, Recipient],
    gateways: Mapping[Channel, ChannelGateway],
    clock: Clock,
) -> Outcome:
    if clock.now() >= delivery.expires_at:
        return Refused("notification.delivery.expired")
    recipient = recipients.get(delivery.user_id) if delivery.user_id else None
    if delivery.user_id and recipient is None:
        return Unknown("notification.recipient.not_known_yet")
    gateway = gateways.get(delivery.channel)
    if gateway is None:
        return Refused("notification.channel.not_configured")
    return await gateway.send(delivery, recipient)


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
