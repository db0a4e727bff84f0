"""Messages that are sent later: kept sealed, sent once, with the reason kept when they are refused then.

MSG-12: a message is stored and noted as sent in one commit, and only while it waits: who has called it back is sure
that nobody gets it. Sent again by another process it is found sent: the schedule's id is the ``client_message_id``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from kernel.errors import DomainError, Kind
from kernel.reasons import Reason

AHEAD_MIN: Final = timedelta(seconds=5)
AHEAD_MAX: Final = timedelta(days=365)
PENDING_MAX: Final = 100
RETRY_FIRST: Final = timedelta(seconds=1)
RETRY_MAX: Final = timedelta(minutes=5)
FAULTS_MAX: Final = 12


class FailureCode(Reason):
    """Why it was not sent, where no rule refused it."""

    UNREADABLE = "messaging.scheduled.unreadable"  # it cannot be opened with the keys that are here
    FAILED = "messaging.scheduled.failed"


class ScheduleTimeInvalidError(DomainError):
    code, kind = "messaging.scheduled.time_invalid", Kind.INVALID
    title = "A message is scheduled for between 5 seconds and a year from now"


class TooManyScheduledError(DomainError):
    code, kind = "messaging.scheduled.too_many", Kind.CONFLICT
    title = f"A person has at most {PENDING_MAX} scheduled messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """``body``: as a client would send it, with the schedule's id as ``client_message_id``; None: it does not open."""

    scheduled_id: UUID
    user_id: UUID
    dialog_id: UUID
    send_at: datetime
    body: Mapping[str, Any] | None
    status: str = "pending"
    failure_code: str = ""
    seq: int | None = None
    created_at: datetime
    attempts: int = 0

    def says(self, dialog_id: UUID, send_at: datetime, body: Mapping[str, Any]) -> bool:
        """Whether it is this message for this time. What does not open any more may be."""
        return (self.dialog_id, self.send_at) == (dialog_id, send_at) and self.body in (None, body)

    def retry_after(self, outcome: Outcome) -> timedelta:
        """As long as the refusal says; doubled each time where it says nothing. Never longer than ``RETRY_MAX``."""
        usual = timedelta(seconds=RETRY_FIRST.total_seconds() * (1 << min(self.attempts, 16)))
        return min(max(usual, timedelta(seconds=outcome.retry_after_s)), RETRY_MAX)

    def after_fault(self) -> Outcome:
        """Sending broke with something that is no refusal: again later, and given up after an hour or so."""
        return Outcome() if self.attempts < FAULTS_MAX else Outcome(failure_code=FailureCode.FAILED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scheduled message. Neither seq nor failure: it is tried again, not before ``retry_after_s``."""

    seq: int | None = None
    failure_code: str = ""
    retry_after_s: float = 0.0

    @property
    def final(self) -> bool:
        return self.seq is not None or bool(self.failure_code)
