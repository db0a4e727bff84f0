"""Send what waits: lease what there is room for, begin it at once, record what became of each right after it is known.

Each channel has lanes of its own, so that one which hangs takes no other's room. It crosses the network between
transactions, and leases on what is under way for as long as it lives. One delivery's fault is that delivery's outcome:
whatever a gateway raises or however long it hangs, the others are sent and recorded. A crash between sending and
recording leaves a lease that runs out; the delivery is then sent again under the same id, which SMS providers
recognise. Of e-mails those may arrive twice, with one Message-ID, that were taken by the server and not yet recorded
when the process died. A lane that is stopped, however it is, records what it knows before it gives up the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from kernel.clock import Clock
from kernel.notifier import Notifier
from kernel.tasks import beside, despite_cancel, stop_tasks, within
from notification.adapters.transaction import NotificationTx
from notification.domain.delivery import RENEW_S, SEND_S, Delivery, Result
from notification.domain.ids import UserId
from notification.domain.recipient import Recipient
from notification.entrypoints.jobs.recording import Begin, record_with_retries
from notification.usecases.attempt_delivery import AttemptDelivery, attempt_delivery
from notification.usecases.ports import ChannelGateway

log = structlog.get_logger(__name__)

ROOM: Final = 8  # of one lane at once: as many connections to the mail server
SLOW_S: Final = 10.0  # what has taken so long leaves its place to another,
ROOM_SLOW: Final = 24  # as long as no more than these have
GATHER_S: Final = 0.05  # results of so long share a transaction; a crash may send them again
# Who is stopped has 5 s: some for what is known already, some for what is cut to end, the rest for what ended thereby.
KNOWN_S: Final = 1.5
CUT_S: Final = 1.0
STOP_S: Final = 4.0


@dataclass(slots=True)
class UnderWay:
    """A delivery that is being sent; times of the monotonic clock."""

    delivery: Delivery
    begun_at: float
    leased_at: float


class Lane:
    """The deliveries of one lane, which is a channel's urgent ones or its others, that are under way: never more than
    there is room for.

    Each begins as soon as it is leased: none waits for another with its attempt counted and its time running out.
    """

    def __init__(
        self,
        begin: Begin,
        gateway: ChannelGateway,
        clock: Clock,
        *,
        urgent: bool,
        room: int = ROOM,
        send_s: float | None = None,
        slow_s: float = SLOW_S,
        renew_s: float = RENEW_S,
    ) -> None:
        self._begin, self._gateway, self._clock = begin, gateway, clock
        self._urgent, self._room, self._slow_s, self._renew_s = urgent, room, slow_s, renew_s
        self._send_s = SEND_S[gateway.channel] if send_s is None else send_s
        self._sending: dict[asyncio.Task[Result], UnderWay] = {}

    @property
    def under_way(self) -> int:
        return len(self._sending)

    async def take_up(self) -> None:
        """Lease on what is under way; lease and begin what is due, as far as there is room."""
        room = self._room_left()
        if room <= 0 and not self._to_renew():
            return
        due: list[Delivery] = []
        recipients: Mapping[UserId, Recipient] = {}
        async with self._begin() as tx:
            renewed = await self._renew(tx)
            if room > 0:
                due = await tx.deliveries.lease(
                    channel=self._gateway.channel, urgent=self._urgent, limit=room, now=self._clock.now()
                )
                recipients = await tx.recipients.get_many([each.user_id for each in due if each.user_id])
        now = self._leased(renewed)
        under_way = {each.delivery.delivery_id: each for each in self._sending.values()}
        for each in due:
            if mine := under_way.get(each.delivery_id):  # its lease ran out, and the answer may still come
                mine.delivery, mine.leased_at = each, now
            else:
                self._sending[asyncio.create_task(self._attempt(each, recipients))] = UnderWay(each, now, now)

    async def _attempt(self, delivery: Delivery, recipients: Mapping[UserId, Recipient]) -> Result:
        recipient = recipients.get(delivery.user_id) if delivery.user_id else None
        command = AttemptDelivery(delivery=delivery, recipient=recipient, timeout_s=self._send_s)
        return await attempt_delivery(command, self._gateway, self._clock)

    def _room_left(self) -> int:
        now = time.monotonic()
        slow = sum(now - each.begun_at > self._slow_s for each in self._sending.values())
        return self._room + min(slow, ROOM_SLOW) - len(self._sending)

    def _to_renew(self) -> list[UnderWay]:
        now = time.monotonic()
        return [each for each in self._sending.values() if now - each.leased_at >= self._renew_s]

    async def _renew(self, tx: NotificationTx) -> list[UnderWay]:
        """Those whose lease is longer once the transaction has committed."""
        if old := self._to_renew():
            await tx.deliveries.renew([each.delivery for each in old], now=self._clock.now())
        return old

    def _leased(self, renewed: Sequence[UnderWay]) -> float:
        """After the commit; returns the moment."""
        now = time.monotonic()
        for each in renewed:
            each.leased_at = now
        return now

    async def wait(self, notifier: Notifier, *, timeout_s: float) -> None:
        """Until one has ended or ``notifier`` is notified, at most ``timeout_s``."""
        async with beside(notifier.wait_notified(timeout_s)) as notified:
            await asyncio.wait({notified, *self._sending}, return_when=asyncio.FIRST_COMPLETED)

    async def record_ended(self) -> None:
        """Those that have ended, together with those that end within a moment."""
        if not any(each.done() for each in self._sending):
            return
        if others := [each for each in self._sending if not each.done()]:
            await asyncio.wait(others, timeout=GATHER_S)
        await self._record_known()

    async def finish(self) -> None:
        """Wait for those under way, lease them on, and record them; begin no others."""
        while self._sending:
            await asyncio.wait(self._sending, timeout=self._renew_s, return_when=asyncio.FIRST_COMPLETED)
            await self.record_ended()
            try:
                if self._to_renew():
                    async with self._begin() as tx:
                        renewed = await self._renew(tx)
                    self._leased(renewed)
            except Exception:
                log.exception("delivery.lease_not_renewed", channel=self._gateway.channel)

    async def stop(self) -> None:
        """Record what is known and cut the rest, whose lease runs out. It takes no longer when it is cancelled."""
        await despite_cancel(self._record_and_cut(), timeout_s=STOP_S)

    async def _record_and_cut(self) -> None:
        with contextlib.suppress(TimeoutError):
            await within(KNOWN_S, self._record_known())
        await stop_tasks(*self._sending, timeout_s=CUT_S)
        await self._record_known()

    async def _record_known(self) -> None:
        """A result stays until it is recorded: when this is cut off, the next call records it."""
        ended = {each for each in self._sending if each.done()}
        if results := [each.result() for each in ended if not each.cancelled()]:
            await record_with_retries(results, self._begin, self._clock)
        for each in ended:
            self._sending.pop(each, None)
