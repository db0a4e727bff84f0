"""Where a saga stands. Immutable: a transition makes a new state.

Invariants: a saga that has not ended has a wake-up (SAGA-2); ``next_wake_at`` is never later than the earliest
moment something is due (SAGA-3), so an early wake-up costs a look and a late one cannot happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from kernel.errors import DomainError, Kind
from kernel.ids import derived_id
from kernel.reasons import Reason
from orchestrator.domain.ids import CommandId, SagaId


class FailureCode(Reason):
    """Why a saga turned back, or a step needs a person, where no participant refused it."""

    DEADLINE_PASSED = "orchestrator.saga.deadline_passed"
    FORCED_BY_OPERATOR = "orchestrator.saga.forced_by_operator"
    FAILED_UNEXPECTEDLY = "orchestrator.saga.failed_unexpectedly"
    TIMED_OUT = "orchestrator.step.timed_out"
    UNSETTLED = "orchestrator.step.unsettled"
    DONE_TWICE = "orchestrator.step.done_twice"


class SagaStatus(StrEnum):
    """Seed 001's four states."""

    STARTED = "started"
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        return self is SagaStatus.COMPLETED or self is SagaStatus.FAILED


class StepStatus(StrEnum):
    """Where one step stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    UNSETTLED = "unsettled"  # skipped by an operator: nobody is asked, and it is not done (SAGA-6)
    BY_HAND = "by_hand"  # an operator says it was done by hand, and where that can be seen
    DONE_TWICE = "done_twice"  # by hand, and by the participant too: a person is to take one of both back
    SKIPPED = "skipped"  # before there were tasks: taken for done, and nobody said by whom
    REJECTED = "rejected"  # refused, so it has no effect
    UNDOING = "undoing"
    UNDONE = "undone"
    UNDO_UNSETTLED = "undo_unsettled"  # as unsettled, of an undo
    UNDO_BY_HAND = "undo_by_hand"  # as by_hand, of an undo
    UNDO_DONE_TWICE = "undo_done_twice"  # as done_twice, of an undo
    UNDO_SKIPPED = "undo_skipped"  # as skipped, of an undo

    @property
    def is_in_flight(self) -> bool:
        return self is StepStatus.RUNNING or self is StepStatus.UNDOING

    @property
    def is_unsettled(self) -> bool:
        return self is StepStatus.UNSETTLED or self is StepStatus.UNDO_UNSETTLED

    @property
    def is_open(self) -> bool:
        """Waited for: an answer, or a person."""
        return self.is_in_flight or self.is_unsettled


UNDO_TAKEN: Final = frozenset(
    {StepStatus.UNDONE, StepStatus.UNDO_BY_HAND, StepStatus.UNDO_DONE_TWICE, StepStatus.UNDO_SKIPPED}
)
ABSENT: Final = frozenset({StepStatus.REJECTED, *UNDO_TAKEN})
TO_UNDO: Final = frozenset({StepStatus.RUNNING, StepStatus.DONE, StepStatus.SKIPPED})
PASSED: Final = frozenset({StepStatus.DONE, StepStatus.BY_HAND, StepStatus.DONE_TWICE, StepStatus.SKIPPED})
WAITS_FOR_DO: Final = frozenset({StepStatus.RUNNING, StepStatus.UNSETTLED})
WAITS_FOR_UNDO: Final = frozenset({StepStatus.UNDOING, StepStatus.UNDO_UNSETTLED})
UNDO_SIDE: Final = WAITS_FOR_UNDO | UNDO_TAKEN


class StepState(NamedTuple):
    """One step; a tuple, because seven are read with every answer.

    ``attempts`` and ``round`` count for the present direction (do or undo).

    A round is one command id. Silence repeats the id; a refusal that must be overcome (after the pivot, or of an
    undo) opens a new round, because a participant answers a repeated id with the same refusal.
    """

    status: StepStatus = StepStatus.PENDING
    attempts: int = 0
    round: int = 1
    refused: bool = False  # the present round was answered with a refusal: the next send opens a new one
    stuck: bool = False  # an operator is needed: out of attempts (slow ones go on), or skipped and unsettled
    since: datetime | None = None  # open: first send in the present direction
    wake_at: datetime | None = None  # in flight: when the present attempt is given up


PENDING_STEP = StepState()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a saga is being undone."""

    code: str
    detail: str
    step: str  # empty: not a step's doing (cancelled, deadline, operator)


class SagaState(NamedTuple):
    """One saga. ``seq`` counts transitions, ``epoch`` counts takeovers by a timer or an operator."""

    saga_id: SagaId
    saga_type: str
    version: int
    business_key: str
    correlation_id: str
    data: bytes
    status: SagaStatus
    steps: tuple[StepState, ...]
    seq: int
    epoch: int
    started_at: datetime
    deadline_at: datetime
    next_wake_at: datetime | None
    ended_at: datetime | None = None
    paused_until: datetime | None = None
    failure: Failure | None = None
    error_code: str = ""  # the last refusal of any step, for finding

    @property
    def needs_operator(self) -> bool:
        return any(step.stuck for step in self.steps)


@lru_cache(maxsize=16_384)  # an answer usually comes to the process that sent the command
def command_id(saga_id: SagaId, step: str, *, undo: bool, round_number: int = 1) -> CommandId:
    """The command's id: the same for every attempt of a round."""
    suffix = f":{round_number}" if round_number > 1 else ""
    return CommandId(derived_id(saga_id, f"{step}:{'undo' if undo else 'do'}{suffix}"))


class SagaNotFoundError(DomainError):
    """No saga has this id."""

    code, kind = "orchestrator.saga.not_found", Kind.NOT_FOUND
    title = "No such saga"


class SagaUnreadableError(DomainError):
    """What is stored of the saga is damaged: nothing can be done to it before it is restored."""

    code, kind = "orchestrator.saga.unreadable", Kind.CONFLICT
    title = "The saga's row cannot be read"


class StaleSagaError(DomainError):
    """The row moved on since it was read (compare-and-set on epoch and seq failed). Nothing was written."""

    code, kind = "orchestrator.saga.stale", Kind.UNAVAILABLE
    title = "The saga moved on meanwhile"
