"""A gateway that shows when its channel is down: in the log at each failure, in readiness after some in a row."""

from __future__ import annotations

import time
from typing import Final

import structlog

from notification.domain.delivery import REFUSALS_OF_RECIPIENT, Delivery, Outcome, Refused, Sent, Unknown
from notification.domain.recipient import Recipient
from notification.usecases.ports import ChannelGateway

log = structlog.get_logger(__name__)

FAILURES_MAX: Final = 5
SLOW_S: Final = 30.0


class WatchedGateway:
    """A send that was taken shows that the channel works. It is down after ``FAILURES_MAX`` failures in a row, after
    refusals of as many recipients in a row, and while as many sends have no answer for ``slow_s``.
    """

    def __init__(self, gateway: ChannelGateway, *, slow_s: float = SLOW_S) -> None:
        self._gateway, self._slow_s = gateway, slow_s
        self.channel = gateway.channel
        self._failures, self._last = 0, ""
        self._refused: set[str] = set()  # recipients in a row, at most FAILURES_MAX
        self._under_way: dict[object, float] = {}

    def problem(self) -> str | None:
        """Why the channel seems to be down; None while it works."""
        if self._failures >= FAILURES_MAX:
            return f"{self._failures} sends in a row failed: {self._last}"
        if len(self._refused) >= FAILURES_MAX:
            return f"{FAILURES_MAX} recipients in a row were refused: {self._last}"
        slow = sum(time.monotonic() - begun_at > self._slow_s for begun_at in self._under_way.values())
        return f"{slow} sends have no answer for {self._slow_s:g} s" if slow >= FAILURES_MAX else None

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome:
        attempt = object()
        self._under_way[attempt] = time.monotonic()
        try:
            outcome = await self._gateway.send(delivery, recipient)
        except BaseException as error:  # cut off after its time, too
            self._failed(delivery, type(error).__name__)
            raise
        finally:
            del self._under_way[attempt]
        if isinstance(outcome, Sent):
            self._failures = 0
            self._refused.clear()
        elif outcome.failure_code in REFUSALS_OF_RECIPIENT:
            return self._refused_recipient(delivery, outcome)
        elif isinstance(outcome, Refused):
            self._log_failure(delivery, outcome.failure_code)
        else:
            self._failed(delivery, outcome.failure_code)
        return outcome

    def _refused_recipient(self, delivery: Delivery, outcome: Refused | Unknown) -> Outcome:
        """Final, unless the channel refuses one after the other: then it is tried again as all its failures are."""
        if len(self._refused) < FAILURES_MAX:
            self._refused.add(str(delivery.user_id or (delivery.payload or {}).get("destination", "")))
        self._log_failure(delivery, outcome.failure_code)
        if len(self._refused) < FAILURES_MAX:
            return outcome
        self._last = outcome.failure_code
        return Unknown(outcome.failure_code)

    def _failed(self, delivery: Delivery, reason: str) -> None:
        self._failures, self._last = self._failures + 1, reason
        self._log_failure(delivery, reason)

    def _log_failure(self, delivery: Delivery, reason: str) -> None:
        log.warning(
            "delivery.attempt_failed",
            delivery_id=str(delivery.delivery_id),
            channel=delivery.channel,
            attempt=delivery.attempts,
            reason=reason,
        )
