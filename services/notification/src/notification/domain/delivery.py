"""One attempt series of one message over one outside channel, and when it is tried again.

NTF-1: a delivery ends as sent or failed, never in between for longer than its lease after its sender has died.
NTF-2: what a delivery carried (an address, a code) is erased once it has ended.
NTF-3: an attempt is counted when it begins, so that no fault of a sender can try a delivery more than
``ATTEMPTS_MAX`` times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from kernel.backoff import BackoffPolicy
from kernel.reasons import Reason
from notification.domain.ids import DeliveryId, NotificationId, UserId
from notification.domain.notification import Channel, Priority

ATTEMPTS_MAX = 16  # with the pauses between them some forty minutes: a mail server may be away for that long
BACKOFF = BackoffPolicy(first_s=1.0, cap_s=300.0, spread=(0.5, 1.0))
LEASE_S = 30.0  # renewed for as long as its sender lives: so long after the sender's death another takes it up
RENEW_S = 8.0
# One attempt. A mail server that was given the whole mail may think about it for ten minutes (RFC 5321, 4.5.3.2.6):
# whoever asks again before that sends the mail twice.
MAIL_ANSWER_S = 600.0
SEND_S: Mapping[Channel, float] = {Channel.EMAIL: MAIL_ANSWER_S + 70.0, Channel.SMS: 20.0}


class FailureCode(Reason):
    """Why a delivery was not sent, or not yet."""

    EXPIRED = "notification.delivery.expired"
    ATTEMPTS_USED_UP = "notification.delivery.attempts_used_up"
    TIMED_OUT = "notification.delivery.timed_out"
    UNEXPECTED_ERROR = "notification.delivery.unexpected_error"
    UNREADABLE = "notification.delivery.unreadable"
    ACCOUNT_ENDED = "notification.recipient.account_ended"
    NOT_KNOWN_YET = "notification.recipient.not_known_yet"
    UNPROVED = "notification.recipient.unproved"
    NO_EMAIL = "notification.recipient.no_email"
    NO_PHONE = "notification.recipient.no_phone"
    EMAIL_REFUSED = "notification.email.refused"
    EMAIL_MAILBOX_BUSY = "notification.email.mailbox_busy"
    EMAIL_REFUSED_BY_POLICY = "notification.email.refused_by_policy"
    EMAIL_ADDRESS_INVALID = "notification.email.address_invalid"
    EMAIL_SENDER_REFUSED = "notification.email.sender_refused"
    EMAIL_SERVER_REFUSES = "notification.email.server_refuses"
    EMAIL_UNREACHABLE = "notification.email.unreachable"
    EMAIL_SMTPUTF8_NOT_OFFERED = "notification.email.smtputf8_not_offered"
    EMAIL_UNEXPECTED_REPLY = "notification.email.unexpected_reply"
    EMAIL_TRY_LATER = "notification.email.try_later"
    SMS_REFUSED = "notification.sms.refused"
    SMS_UNREACHABLE = "notification.sms.unreachable"
    SMS_UNEXPECTED_ANSWER = "notification.sms.unexpected_answer"
    SMS_TRY_LATER = "notification.sms.try_later"
    SMS_PROVIDER_REFUSES = "notification.sms.provider_refuses"


# Refusals of one recipient, by the provider: those of many in a row are the channel's fault.
REFUSALS_OF_RECIPIENT = frozenset(
    {
        FailureCode.EMAIL_REFUSED,
        FailureCode.EMAIL_MAILBOX_BUSY,
        FailureCode.EMAIL_REFUSED_BY_POLICY,
        FailureCode.SMS_REFUSED,
    }
)
# Nothing was to be sent, so that no channel failed.
WITHHELD = frozenset({FailureCode.ACCOUNT_ENDED, FailureCode.UNPROVED, FailureCode.NO_EMAIL, FailureCode.NO_PHONE})


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message waiting for one channel; ``payload`` holds what no notification row does: a code and its address.

    ``attempts`` counts those that began, the present one included.
    """

    delivery_id: DeliveryId
    channel: Channel
    priority: Priority
    message_type: str
    created_at: datetime
    expires_at: datetime
    notification_id: NotificationId | None = None
    user_id: UserId | None = None
    params: Mapping[str, object] | None = None
    payload: Mapping[str, str] | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it. ``provider_message_id`` finds it in the provider's own log."""

    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will never take it, e.g. an address that does not exist."""

    failure_code: FailureCode


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have been taken; trying again with the same id is safe."""

    failure_code: FailureCode
    retry_after_s: float | None = None


Outcome = Sent | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Ended:
    status: DeliveryStatus
    provider_message_id: str = ""
    failure_code: str = ""


@dataclass(frozen=True, slots=True)
class TryAgain:
    at: datetime
    failure_code: FailureCode


Result = tuple[Delivery, Ended | TryAgain]


def refusal_before_sending(delivery: Delivery, now: datetime) -> Refused | None:
    """Why a delivery that was taken up is not even tried: it came too late, or senders died with it too often."""
    if now >= delivery.expires_at:
        return Refused(FailureCode.EXPIRED)
    if delivery.attempts > ATTEMPTS_MAX:
        return Refused(FailureCode.ATTEMPTS_USED_UP)
    return None


def after_attempt(delivery: Delivery, outcome: Outcome, *, now: datetime, jitter: float) -> Ended | TryAgain:
    """What becomes of a delivery after an attempt; ``jitter`` is uniform in [0, 1)."""
    match outcome:
        case Sent(provider_message_id):
            return Ended(DeliveryStatus.SENT, provider_message_id=provider_message_id)
        case Refused(failure_code):
            return Ended(DeliveryStatus.FAILED, failure_code=failure_code)
        case Unknown(failure_code, retry_after_s):
            wait_s = BACKOFF.wait_s(delivery.attempts, jitter)
            at = now + timedelta(seconds=max(wait_s, min(retry_after_s or 0.0, BACKOFF.cap_s)))
            if delivery.attempts >= ATTEMPTS_MAX or at >= delivery.expires_at:
                return Ended(DeliveryStatus.FAILED, failure_code=failure_code)
            return TryAgain(at, failure_code)
        case _:
            assert_never(outcome)
