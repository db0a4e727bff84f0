"""What can happen to a saga. Every input carries its moment, so that a replay of the same inputs ends the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin: the first input of every saga."""

    at: datetime
    saga_id: UUID
    business_key: str
    correlation_id: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A participant answered a command. ``code`` is empty on success."""

    at: datetime
    command_id: UUID
    succeeded: bool
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """The saga's wake-up came. Early ones are harmless."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The business wants it undone, if that is still possible."""

    at: datetime
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operated:
    """Base of what a person does to a saga; who and why are part of the history."""

    at: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryNow(Operated):
    """Send what is in flight again, now, with fresh attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceCompensation(Operated):
    """Undo the saga. Refused once the pivot was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Operated):
    """Send nothing until ``until``; answers are still taken in. Then it resumes by itself."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Operated):
    """End a pause, or go on after a person mended what made it stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipStep(Operated):
    """Stop asking for a step in flight. What it would have settled stays open until ``SettleStep``.

    ``open_task`` is False only in histories from before there were tasks: there the saga went on as if it were done.
    """

    step: str
    open_task: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleStep(Operated):
    """A person did by hand what a skipped step would have done; ``reference`` says where that can be seen."""

    step: str
    reference: str


OperatorInput = RetryNow | ForceCompensation | Pause | Resume | SkipStep | SettleStep
Input = Start | Reply | TimerFired | Cancel | OperatorInput
