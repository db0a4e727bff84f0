"""What people do to a saga: its owner cancels it, operators act on it; and what of that is refused (ENG-7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from kernel.errors import DomainError, Kind
from orchestrator.domain.draft import Draft, Transition
from orchestrator.domain.ids import BulkId, OperatorId, SagaId
from orchestrator.domain.inputs import (
    Cancel,
    ForceCompensation,
    Operated,
    Pause,
    Resume,
    RetryNow,
    SettleStep,
    SkipStep,
)
from orchestrator.domain.state import FailureCode, SagaStatus, StepState, StepStatus

# How a step that was skipped is settled by hand, and one that was done by its participant too; the last two were
# skipped before there were tasks.
_BY_HAND: Final = {
    StepStatus.UNSETTLED: StepStatus.BY_HAND,
    StepStatus.UNDO_UNSETTLED: StepStatus.UNDO_BY_HAND,
    StepStatus.DONE_TWICE: StepStatus.BY_HAND,
    StepStatus.UNDO_DONE_TWICE: StepStatus.UNDO_BY_HAND,
    StepStatus.SKIPPED: StepStatus.BY_HAND,
    StepStatus.UNDO_SKIPPED: StepStatus.UNDO_BY_HAND,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAction:
    """One act of a person, for the audit trail. ``outcome`` is ``done`` or the code of the refusal.

    ``before`` and ``after`` hold what the act changed.
    """

    at: datetime
    saga_id: SagaId
    action: str
    step: str | None
    actor_id: OperatorId
    reason: str
    bulk_id: BulkId | None
    outcome: str
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


class SagaEndedError(DomainError):
    """The saga is over; nothing can be done to it."""

    code, kind = "orchestrator.saga.ended", Kind.CONFLICT
    title = "The saga has ended"


class PastPivotError(DomainError):
    """The pivot was sent: it may have happened, and what it did has no undo."""

    code, kind = "orchestrator.saga.past_pivot", Kind.CONFLICT
    title = "The saga passed its point of no return"


class AlreadyCompensatingError(DomainError):
    """The saga is being undone already."""

    code, kind = "orchestrator.saga.already_compensating", Kind.CONFLICT
    title = "The saga is compensating already"


class SagaPausedError(DomainError):
    """The saga is paused; resume it first."""

    code, kind = "orchestrator.saga.paused", Kind.CONFLICT
    title = "The saga is paused"


class NotPausedOrStuckError(DomainError):
    """Nothing holds the saga back, so there is nothing to resume."""

    code, kind = "orchestrator.saga.not_held", Kind.CONFLICT
    title = "The saga is neither paused nor waiting for an operator"


class StepNotInFlightError(DomainError):
    """Only a step that waits for its answer can be skipped."""

    code, kind = "orchestrator.step.not_in_flight", Kind.CONFLICT
    title = "The step is not in flight"


class StepNotSkippableError(DomainError):
    """Later steps rest on it, or it can be undone: an operator cannot take it for done."""

    code, kind = "orchestrator.step.not_skippable", Kind.CONFLICT
    title = "This step cannot be skipped"


class StepNotSkippedError(DomainError):
    """Only a step that was skipped is settled by hand."""

    code, kind = "orchestrator.step.not_skipped", Kind.CONFLICT
    title = "The step was not skipped"


def cancel(draft: Draft, event: Cancel) -> Transition | None:
    """None where the draft moved; otherwise what is to be returned instead: it is too late."""
    if draft.status is not SagaStatus.STARTED:
        return draft.ignored("not_running")
    if not draft.may_turn_back():
        return draft.ignored("past_pivot")
    draft.fail(event.code, "Cancelled by its owner", "")
    return None


def operate(draft: Draft, event: Operated) -> None:
    """Raises the ``DomainError`` by which the saga's state forbids the act."""
    settles = isinstance(event, SettleStep) and _skipped(draft, event.step) is not None
    if draft.status.is_terminal and not settles:
        raise SagaEndedError(f"It ended as {draft.status}")
    draft.epoch += 1
    match event:
        case RetryNow():
            if draft.paused_until is not None:
                raise SagaPausedError
            draft.ask_again()
        case ForceCompensation():
            _force_compensation(draft, event)
        case Pause():
            draft.paused_until = event.until
        case Resume():
            if draft.paused_until is None and not any(step.stuck for step in draft.steps):
                raise NotPausedOrStuckError
            draft.end_pause()
        case SkipStep():
            _skip(draft, event)
        case SettleStep():
            _settle(draft, event)
        case _:
            raise TypeError(f"{type(event).__name__} is not an operator's input")


def _force_compensation(draft: Draft, event: ForceCompensation) -> None:
    if draft.status is SagaStatus.COMPENSATING:
        raise AlreadyCompensatingError
    if not draft.may_turn_back():
        raise PastPivotError
    draft.fail(FailureCode.FORCED_BY_OPERATOR, event.reason, "")


def _skip(draft: Draft, event: SkipStep) -> None:
    for index, step in draft.in_flight():
        if draft.definition.steps[index].name == event.step:
            undo = step.status is StepStatus.UNDOING
            if not event.open_task:
                status = StepStatus.UNDO_SKIPPED if undo else StepStatus.SKIPPED
                draft.steps[index] = StepState(status, step.attempts, step.round)
                return
            if not draft.spec_in_flight(index).skippable:
                raise StepNotSkippableError(f"{event.step} cannot be taken for done")
            draft.call_operator(index, FailureCode.UNSETTLED)
            status = StepStatus.UNDO_UNSETTLED if undo else StepStatus.UNSETTLED
            draft.steps[index] = draft.steps[index]._replace(status=status, wake_at=None)
            return
    raise StepNotInFlightError(f"{event.step} does not wait for an answer")


def _settle(draft: Draft, event: SettleStep) -> None:
    index = _skipped(draft, event.step)
    if index is None:
        raise StepNotSkippedError(f"{event.step} was not skipped")
    step = draft.steps[index]
    draft.steps[index] = StepState(_BY_HAND[step.status], step.attempts, step.round)


def _skipped(draft: Draft, name: str) -> int | None:
    """The step of that name, if it was skipped and nobody said who did it, or it was done twice."""
    for index, step in enumerate(draft.steps):
        if step.status in _BY_HAND and draft.definition.steps[index].name == name:
            return index
    return None
