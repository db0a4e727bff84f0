"""How a saga goes on: forward, stage by stage, or back (ENG-4)."""

from __future__ import annotations

from typing import Final

from orchestrator.domain.draft import Draft
from orchestrator.domain.effects import Milestone, Reached
from orchestrator.domain.state import PASSED, TO_UNDO, WAITS_FOR_UNDO, SagaStatus, StepState, StepStatus

_RUNNING: Final = StepState(StepStatus.RUNNING)
_UNDOING: Final = StepState(StepStatus.UNDOING)


def advance(draft: Draft) -> None:
    """Send what may be sent, until something must be waited for."""
    if draft.paused_until is not None or draft.status.is_terminal:
        return
    if draft.status is SagaStatus.STARTED:
        _go_forward(draft)
    if draft.status is SagaStatus.COMPENSATING:
        _go_back(draft)


def _go_forward(draft: Draft) -> None:
    steps = draft.steps
    for group in draft.definition.groups:
        joined = True
        for index in group:
            if steps[index].status is StepStatus.PENDING:
                steps[index] = _RUNNING
                draft.send(index)
            joined = joined and steps[index].status in PASSED
        if not joined:
            return
    draft.status = SagaStatus.COMPLETED
    draft.effects.append(Reached(milestone=Milestone.ENDED))


def _go_back(draft: Draft) -> None:
    for group in reversed(draft.definition.groups):
        for index in group:
            if draft.definition.steps[index].undo and draft.steps[index].status in TO_UNDO:
                draft.steps[index] = _UNDOING
                draft.send(index)
        if any(draft.steps[index].status in WAITS_FOR_UNDO for index in group):
            return
    closing = draft.definition.closing_index
    if closing is not None:
        if draft.steps[closing].status is StepStatus.PENDING:
            draft.steps[closing] = _RUNNING
            draft.send(closing)
        if draft.steps[closing].status not in PASSED:
            return
    draft.status = SagaStatus.FAILED
    reason = draft.failure.code if draft.failure else ""
    draft.effects.append(Reached(milestone=Milestone.ENDED, reason=reason))
