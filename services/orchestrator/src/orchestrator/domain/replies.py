"""What a participant's answer does to a saga, whatever the saga is about by then (ENG-2, ENG-3, ENG-5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from orchestrator.domain.definition import StepKind
from orchestrator.domain.draft import Draft, Transition
from orchestrator.domain.effects import Milestone, Reached, StepSettled
from orchestrator.domain.inputs import Reply
from orchestrator.domain.state import (
    ABSENT,
    UNDO_SIDE,
    WAITS_FOR_DO,
    WAITS_FOR_UNDO,
    FailureCode,
    SagaStatus,
    StepState,
    StepStatus,
    command_id,
)

# What a person took for done, once its participant has done it all the same.
_TAKEN_FOR_DONE: Final = {
    StepStatus.BY_HAND: StepStatus.DONE_TWICE,
    StepStatus.UNDO_BY_HAND: StepStatus.UNDO_DONE_TWICE,
    StepStatus.SKIPPED: StepStatus.DONE,
    StepStatus.UNDO_SKIPPED: StepStatus.UNDONE,
}


def take_reply(draft: Draft, reply: Reply) -> Transition | None:
    """None where the draft moved; otherwise what is to be returned instead: a duplicate, or nobody's answer."""
    found = _find(draft, reply)
    if found is None:
        return draft.ignored("unknown_command")
    index, undo, round_number = found
    step = draft.steps[index]
    waits = step.status in (WAITS_FOR_UNDO if undo else WAITS_FOR_DO)
    if waits and step.status.is_unsettled and not reply.succeeded:
        return draft.ignored("skipped")
    if waits and round_number == step.round and not step.refused:
        _settle(draft, index, reply, undo=undo)
        return None
    if not undo and reply.succeeded and step.status in ABSENT:
        return _undo_late_success(draft, index)
    if reply.succeeded and step.status in _TAKEN_FOR_DONE and undo is (step.status in UNDO_SIDE):
        _note_late_success(draft, index)
        return None
    return draft.ignored("superseded" if waits else "duplicate")


def _find(draft: Draft, reply: Reply) -> tuple[int, bool, int] | None:
    """Which step, direction and round the command id belongs to; what is in flight is tried first."""
    for index, step in draft.in_flight():
        undo, name = step.status is StepStatus.UNDOING, draft.definition.steps[index].name
        if command_id(draft.before.saga_id, name, undo=undo, round_number=step.round) == reply.command_id:
            return index, undo, step.round
    return _find_settled(draft, reply)


def _find_settled(draft: Draft, reply: Reply) -> tuple[int, bool, int] | None:
    """The rarer case: a duplicate, or an answer to a round or a direction that was left behind."""
    for index, step in enumerate(draft.steps):
        if step.status is StepStatus.PENDING:
            continue
        spec, undo_side = draft.definition.steps[index], step.status in UNDO_SIDE
        for undo in (undo_side, not undo_side) if spec.undo else (False,):
            # A step that can be undone is done in one round: its refusal is final.
            for number in range(step.round if undo is undo_side else 1, 0, -1):
                own = command_id(draft.before.saga_id, spec.name, undo=undo, round_number=number)
                if own == reply.command_id:
                    return index, undo, number
    return None


def _settle(draft: Draft, index: int, reply: Reply, *, undo: bool) -> None:
    step, spec = draft.steps[index], draft.definition.steps[index]
    latency_s = (draft.now - step.since).total_seconds() if step.since else 0.0
    outcome = "succeeded" if reply.succeeded else "rejected"
    draft.effects.append(StepSettled(step=spec.name, undo=undo, outcome=outcome, latency_s=latency_s))
    if reply.succeeded:
        done = StepStatus.UNDONE if undo else StepStatus.DONE
        draft.steps[index] = StepState(done, step.attempts, step.round)
        return
    draft.error_code = reply.code
    if undo or spec.kind in {StepKind.RETRIABLE, StepKind.CLOSING}:
        _ask_in_a_new_round(draft, index, reply.code)
        return
    draft.steps[index] = StepState(StepStatus.REJECTED, step.attempts, step.round)
    draft.fail(reply.code, reply.detail, spec.name)


def _ask_in_a_new_round(draft: Draft, index: int, code: str) -> None:
    """After a pause; the timer sends it."""
    step = draft.steps[index]
    policy = draft.spec_in_flight(index).retry
    pause_s = policy.pause_s(step.attempts, draft.command_id(index))
    draft.steps[index] = step._replace(refused=True, wake_at=draft.now + timedelta(seconds=pause_s))
    if step.attempts >= policy.attempts_max:
        draft.call_operator(index, code)


def _undo_late_success(draft: Draft, index: int) -> Transition | None:
    if draft.definition.steps[index].undo is None:
        return draft.ignored("late_without_undo")
    draft.status = SagaStatus.COMPENSATING
    step = draft.steps[index]
    rounds = step.round + 1 if step.status in UNDO_SIDE else 1
    draft.steps[index] = StepState(StepStatus.UNDOING, round=rounds)
    draft.send(index)
    return None


def _note_late_success(draft: Draft, index: int) -> None:
    """Where it was done by hand, a person must know that it was done twice, also after the saga has ended."""
    step = draft.steps[index]
    draft.steps[index] = step._replace(status=_TAKEN_FOR_DONE[step.status])
    if step.status in {StepStatus.BY_HAND, StepStatus.UNDO_BY_HAND}:
        draft.error_code, name = FailureCode.DONE_TWICE, draft.definition.steps[index].name
        draft.effects.append(Reached(milestone=Milestone.NEEDS_OPERATOR, step=name, reason=FailureCode.DONE_TWICE))
