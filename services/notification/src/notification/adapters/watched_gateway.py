"""A gateway that tells when its channel is down: in the log at each failure, to readiness after some in a row."""

from __future__ import annotations

from typing import Final

import structlog

from notification.domain.delivery import Delivery, Outcome, Refused, Sent
from notification.domain.recipient import Recipient
from notification.usecases.ports import ChannelGateway

log = structlog.get_logger(__name__)

FAILURES_MAX: Final = 5


class WatchedGateway:
    """A refusal says nothing of the channel, as it may be ours; what was taken shows that it works."""

    def __init__(self, gateway: ChannelGateway) -> None:
        self._gateway = gateway
        self.channel = gateway.channel
        self._failures, self._last = 0, ""

    def problem(self) -> str | None:
        if self._failures < FAILURES_MAX:
            return None
        return f"{self._failures} sends in a row failed: {self._last}"

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome:
        try:
            outcome = await self._gateway.send(delivery, recipient)
        except BaseException as error:  # cut off after its time, too
            self._failed(delivery, type(error).__name__)
            raise
        if isinstance(outcome, Sent):
            self._failures = 0
        elif isinstance(outcome, Refused):
            self._tell(delivery, outcome.failure_code)
        else:
            self._failed(delivery, outcome.failure_code)
        return outcome

    def _failed(self, delivery: Delivery, reason: str) -> None:
        self._failures, self._last = self._failures + 1, reason
        self._tell(delivery, reason)

    def _tell(self, delivery: Delivery, reason: str) -> None:
        log.warning(
            "delivery.attempt_failed",
            delivery_id=str(delivery.delivery_id),
            channel=delivery.channel,
            attempt=delivery.attempts,
            reason=reason,
        )
