"""What a transition asks of the world. All of it is written in the transition's own transaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.ids import CommandId


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCommand:
    """Put a command into the outbox. ``command_id`` repeats on every attempt of a round."""

    step: str
    undo: bool
    command_id: CommandId
    attempt: int
    body: object


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSettled:
    """A step (or its undo) got its final answer, ``latency_s`` after it was first sent."""

    step: str
    undo: bool
    outcome: str
    latency_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimedOut:
    """An attempt was given up: what became of it is unknown."""

    step: str
    undo: bool
    attempt: int


class Milestone(StrEnum):
    """What other teams are told."""

    STARTED = "started"
    COMPENSATING = "compensating"  # kept in the history, not published
    ENDED = "ended"
    NEEDS_OPERATOR = "needs_operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The saga reached a milestone."""

    milestone: Milestone
    step: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """The input changed nothing: a duplicate, or an answer nobody waits for."""

    reason: str


Effect = SendCommand | StepSettled | StepTimedOut | Reached | Ignored
