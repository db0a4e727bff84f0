"""What time does to a saga: attempts are given up, deadlines pass, pauses end (ENG-2, ENG-3, ENG-6)."""

from __future__ import annotations

from orchestrator.domain.definition import StepKind
from orchestrator.domain.draft import Draft, Transition
from orchestrator.domain.effects import StepTimedOut
from orchestrator.domain.state import FailureCode, StepStatus


def wake(draft: Draft) -> Transition | None:
    """None where the draft moved; otherwise what is to be returned instead. An early wake-up only sets the next one."""
    if draft.status.is_terminal:
        return draft.ignored("ended")
    if draft.paused_until is not None and draft.now >= draft.paused_until:
        draft.end_pause()
        draft.epoch += 1
        return None
    if draft.paused_until is not None or not draft.is_due():
        return draft.woken_early()
    draft.epoch += 1
    if draft.may_turn_back() and draft.now >= draft.deadline_at:
        draft.fail(FailureCode.DEADLINE_PASSED, "The saga did not reach its pivot in time", "")
    else:
        _give_up_attempts(draft)
    return None


def _give_up_attempts(draft: Draft) -> None:
    for index, step in draft.in_flight():
        if step.wake_at is None or step.wake_at > draft.now:
            continue
        spec = draft.definition.steps[index]
        undo = step.status is StepStatus.UNDOING
        if not step.refused and step.attempts:
            draft.effects.append(StepTimedOut(step=spec.name, undo=undo, attempt=step.attempts))
        exhausted = step.attempts >= draft.spec_in_flight(index).retry.attempts_max
        if exhausted and spec.kind is StepKind.COMPENSABLE and not undo:
            draft.fail(FailureCode.TIMED_OUT, f"No answer after {step.attempts} attempts", spec.name)
            return
        if exhausted:
            draft.call_operator(index, draft.error_code if step.refused else FailureCode.TIMED_OUT)
        draft.send(index)
