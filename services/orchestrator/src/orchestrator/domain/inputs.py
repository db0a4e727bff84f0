"""What can happen to a saga. Every input carries its moment, so that a replay of the same inputs ends the same.

``kind`` names it in histories and in the audit trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from orchestrator.domain.ids import CommandId, SagaId


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin: the first input of every saga."""

    kind: ClassVar[str] = "start"
    at: datetime
    saga_id: SagaId
    business_key: str
    correlation_id: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A participant answered a command. ``code`` is empty on success."""

    kind: ClassVar[str] = "reply"
    at: datetime
    command_id: CommandId
    succeeded: bool
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """The saga's wake-up came. Early ones are harmless."""

    kind: ClassVar[str] = "timer"
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The business wants it undone, if that is still possible."""

    kind: ClassVar[str] = "cancel"
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

    kind: ClassVar[str] = "retry_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceCompensation(Operated):
    """Undo the saga. Refused once the pivot was sent."""

    kind: ClassVar[str] = "force_compensation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Operated):
    """Send nothing until ``until``; answers are still taken in. Then it resumes by itself."""

    kind: ClassVar[str] = "pause"
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Operated):
    """End a pause, or go on after a person mended what made it stuck."""

    kind: ClassVar[str] = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipStep(Operated):
    """Stop asking for a step in flight. What it would have settled stays open until ``SettleStep``.

    ``open_task`` is False only in histories from before there were tasks: there the saga went on as if it were done.
    """

    kind: ClassVar[str] = "skip_step"
    step: str
    open_task: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleStep(Operated):
    """A person did by hand what a skipped step would have done; ``reference`` says where that can be seen."""

    kind: ClassVar[str] = "settle_step"
    step: str
    reference: str


OperatorInput = RetryNow | ForceCompensation | Pause | Resume | SkipStep | SettleStep
Input = Start | Reply | TimerFired | Cancel | OperatorInput
