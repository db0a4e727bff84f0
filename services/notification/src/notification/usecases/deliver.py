"""Send what waits: lease what there is room for, begin it at once, record what became of each right after it is known.

It crosses the network between transactions. One delivery's fault is that delivery's outcome: whatever a gateway raises
or however long it hangs, the others are sent and recorded. A crash between sending and recording leaves a lease that
runs out; the delivery is then sent again under the same id, which SMS providers recognise. Of e-mails those may arrive
twice, with one Message-ID, that were taken by the server and not yet recorded when the process died. A lane that is
stopped, however it is, records what it knows before it gives up the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import structlog

from kernel.clock import Clock
from kernel.tasks import beside, despite_cancel, stop_tasks, within
from notification.domain.delivery import (
    ACCOUNT_ENDED_CODE,
    SEND_S,
    TIMED_OUT_CODE,
    UNEXPECTED_CODE,
    UNPROVED_CODE,
    Delivery,
    Outcome,
    Refused,
    Unknown,
    after_attempt,
    refusal_before_sending,
)
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient
from notification.domain.rules import may_be_sent
from notification.usecases.ports import Begin, ChannelGateway, Result
from notification.usecases.record_results import record_results

log = structlog.get_logger(__name__)

ROOM: Final = 8  # of one lane at once: as many connections to the mail server
GATHER_S: Final = 0.05  # results of so long share a transaction; a crash may send them again
# Who is stopped has 5 s: some for what is known already, some for what is cut to end, the rest for what ended thereby.
KNOWN_S: Final = 1.5
CUT_S: Final = 1.0
STOP_S: Final = 4.0


class Lane:
    """The deliveries of one lane that are under way, never more than there is room for.

    Each begins as soon as it is leased: none waits for another with its attempt counted and its time running out.
    """

    def __init__(
        self,
        begin: Begin,
        gateways: Mapping[Channel, ChannelGateway],
        clock: Clock,
        *,
        urgent: bool,
        room: int = ROOM,
        send_s: float = SEND_S,
    ) -> None:
        self._begin, self._gateways, self._clock = begin, gateways, clock
        self._urgent, self._room, self._send_s = urgent, room, send_s
        self._sending: set[asyncio.Task[Result]] = set()

    @property
    def under_way(self) -> int:
        return len(self._sending)

    async def take_up(self) -> None:
        """Lease and begin what is due, as far as there is room."""
        room = self._room - len(self._sending)
        if room <= 0:
            return
        async with self._begin() as tx:
            due = await tx.deliveries.lease(urgent=self._urgent, limit=room, now=self._clock.now())
            recipients = await tx.recipients.get_many([each.user_id for each in due if each.user_id])
        for each in due:
            attempt = _attempt(each, recipients, self._gateways, self._clock, self._send_s)
            self._sending.add(asyncio.create_task(attempt))

    async def wait(self, bell: asyncio.Event, *, timeout_s: float) -> None:
        """Until one has ended or the bell rings, at most ``timeout_s``."""
        async with beside(bell.wait()) as ringing:
            await asyncio.wait({ringing, *self._sending}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)

    async def record_ended(self) -> None:
        """Those that have ended, together with those that end within a moment."""
        if not any(each.done() for each in self._sending):
            return
        if others := [each for each in self._sending if not each.done()]:
            await asyncio.wait(others, timeout=GATHER_S)
        await self._record_known()

    async def finish(self) -> None:
        """Wait for those under way, and record them; begin no others."""
        while self._sending:
            await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
            await self.record_ended()

    async def stop(self) -> None:
        """Record what is known and cut the rest, whose lease runs out. It takes no longer when it is cancelled."""
        await despite_cancel(self._give_up(), timeout_s=STOP_S)

    async def _give_up(self) -> None:
        with contextlib.suppress(TimeoutError):
            await within(KNOWN_S, self._record_known())
        await stop_tasks(*self._sending, timeout_s=CUT_S)
        await self._record_known()

    async def _record_known(self) -> None:
        """Until it is recorded, a result is kept: a cut in the midst of it leaves it to whoever records next."""
        ended = {each for each in self._sending if each.done()}
        if results := [each.result() for each in ended if not each.cancelled()]:
            await record_results(results, self._begin, self._clock)
        self._sending -= ended


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
    if recipient is not None and not may_be_sent(delivery.message_type, delivery.channel, recipient):
        return Refused(UNPROVED_CODE)
    gateway = gateways.get(delivery.channel)
    if gateway is None:
        return Refused("notification.channel.not_configured")
    return await gateway.send(delivery, recipient)
