"""A gateway that shows when its channel is down: in the log at each failure, in readiness after some in a row."""

from __future__ import annotations

import time
from typing import Final

import structlog

from notification.domain.delivery import REFUSALS_OF_RECIPIENT, Delivery, Outcome, Sent, Unknown
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient
from notification.usecases.ports import ChannelGateway

log = structlog.get_logger(__name__)

RECIPIENTS_MAX: Final = 5
SLOW_S: Final = 30.0


class WatchedGateway:
    """A send that was taken shows that the channel works. It is down after sends to ``RECIPIENTS_MAX`` recipients in a
    row were in vain (no answer, a failure, a refusal), and while sends to as many have no answer for ``slow_s``.

    Recipients are counted, and not attempts: one bad address, however often it is tried, says nothing of the channel.
    """

    def __init__(self, gateway: ChannelGateway, *, slow_s: float = SLOW_S) -> None:
        self._gateway, self._slow_s = gateway, slow_s
        self.channel = gateway.channel
        self._in_vain: set[str] = set()  # recipients in a row, at most RECIPIENTS_MAX
        self._last = ""
        self._under_way: dict[object, tuple[str, float]] = {}  # recipient, and since when

    def problem(self) -> str | None:
        """Why the channel seems to be down; None while it works."""
        if self._is_down:
            return f"sends to {RECIPIENTS_MAX} recipients in a row were in vain: {self._last}"
        slow_before = time.monotonic() - self._slow_s
        slow = len({recipient for recipient, begun_at in self._under_way.values() if begun_at < slow_before})
        return f"sends to {slow} recipients have no answer for {self._slow_s:g} s" if slow >= RECIPIENTS_MAX else None

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome:
        attempt, address = object(), self._address_of(delivery, recipient)
        self._under_way[attempt] = address, time.monotonic()
        try:
            outcome = await self._gateway.send(delivery, recipient)
        except BaseException as error:  # cut off after its time, too
            self._count(address, type(error).__name__)
            _log_failure(delivery, type(error).__name__)
            raise
        finally:
            del self._under_way[attempt]
        if isinstance(outcome, Sent):
            self._in_vain.clear()
            return outcome
        _log_failure(delivery, outcome.failure_code)
        if isinstance(outcome, Unknown):
            self._count(address, outcome.failure_code)
        elif outcome.failure_code in REFUSALS_OF_RECIPIENT:
            self._count(address, outcome.failure_code)
            if self._is_down:  # final, unless the channel refuses one after the other
                return Unknown(outcome.failure_code)
        return outcome

    @property
    def _is_down(self) -> bool:
        return len(self._in_vain) >= RECIPIENTS_MAX

    def _count(self, address: str, reason: str) -> None:
        self._last = reason
        if not self._is_down:
            self._in_vain.add(address)

    def _address_of(self, delivery: Delivery, recipient: Recipient | None) -> str:
        """One person's codes and other messages go to one address, and count as one recipient."""
        if recipient is not None:
            address = recipient.email if self.channel is Channel.EMAIL else recipient.phone_e164
        else:
            address = (delivery.payload or {}).get("destination", "")
        return (address or str(delivery.user_id)).casefold()


def _log_failure(delivery: Delivery, reason: str) -> None:
    log.warning(
        "delivery.attempt_failed",
        delivery_id=str(delivery.delivery_id),
        channel=delivery.channel,
        attempt=delivery.attempts,
        reason=reason,
    )
