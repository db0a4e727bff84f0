"""Try once to send a delivery: what its gateway makes of it, or why it is not even tried."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime

import structlog

from kernel.clock import Clock
from notification.domain.delivery import (
    Delivery,
    FailureCode,
    Outcome,
    Refused,
    Result,
    Unknown,
    after_attempt,
    refusal_before_sending,
)
from notification.domain.recipient import Recipient
from notification.domain.rules import may_be_sent
from notification.usecases.ports import ChannelGateway

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDelivery:
    """``delivery`` is leased, and this attempt counted in it; ``recipient`` is None where the person is not known."""

    delivery: Delivery
    recipient: Recipient | None
    timeout_s: float


async def attempt_delivery(command: AttemptDelivery, gateway: ChannelGateway, clock: Clock) -> Result:
    """Whatever happens, it is the outcome of this delivery alone."""
    delivery = command.delivery
    try:
        refusal = _reason_not_to_send(delivery, command.recipient, clock.now())
        async with asyncio.timeout(command.timeout_s):
            outcome = refusal or await gateway.send(delivery, command.recipient)
        return _result(delivery, outcome, clock)
    except TimeoutError:
        return _result(delivery, Unknown(FailureCode.TIMED_OUT), clock)
    except Exception:
        log.exception("delivery.failed", delivery_id=str(delivery.delivery_id), channel=delivery.channel)
        return _result(delivery, Unknown(FailureCode.UNEXPECTED_ERROR), clock)


def _reason_not_to_send(delivery: Delivery, recipient: Recipient | None, now: datetime) -> Refused | Unknown | None:
    if refusal := refusal_before_sending(delivery, now):
        return refusal
    if delivery.user_id is None:
        return None  # a code, which carries its own address
    if recipient is None:
        return Unknown(FailureCode.NOT_KNOWN_YET)
    if recipient.has_ended:
        return Refused(FailureCode.ACCOUNT_ENDED)
    if not may_be_sent(delivery.message_type, delivery.channel, recipient):
        return Refused(FailureCode.UNPROVED)
    return None


def _result(delivery: Delivery, outcome: Outcome, clock: Clock) -> Result:
    jitter = random.random()  # noqa: S311 -- jitter
    return delivery, after_attempt(delivery, outcome, now=clock.now(), jitter=jitter)
