"""The saga engine's core: ``transition(definition, state, input) -> (state, effects)``, pure.

The rules it keeps, each in the file that decides by it:
- ENG-1: a command is sent at most once per attempt, and every attempt of a round has the same id (``draft``).
- ENG-2: before the pivot is sent, a refusal, silence past the attempts, the deadline or a cancel undoes the saga
  (``replies``, ``wake_ups``, ``operator_acts``).
- ENG-3: once the pivot is sent, only its refusal undoes the saga; silence is asked again, because a pivot that may
  have happened has no undo (``replies``, ``wake_ups``).
- ENG-4: every step that was sent and not refused is undone, stage by stage backwards, whether or not it answered
  (``progress``).
- ENG-5: a success that arrives for a step held to be absent is undone again, even after the saga had failed
  (``replies``).
- ENG-6: what must finish is never given up: past its attempts an operator is called and slow attempts go on
  (``wake_ups``).
- ENG-7: no act of an operator ends a saga with something unsettled: a skipped step keeps it waiting, all that comes
  after it too, until the participant's late answer or a person's word that it was done by hand (``operator_acts``).
- ENG-8: a success that arrives for a step that was done by hand is told to a person, even after the saga had ended
  (``replies``).
"""

from __future__ import annotations

from datetime import timedelta

from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.draft import Draft, Transition
from orchestrator.domain.effects import Milestone, Reached
from orchestrator.domain.inputs import Cancel, Input, OperatorInput, Reply, Start, TimerFired
from orchestrator.domain.operator_acts import cancel, operate
from orchestrator.domain.progress import advance
from orchestrator.domain.replies import take_reply
from orchestrator.domain.state import PENDING_STEP, SagaState, SagaStatus
from orchestrator.domain.wake_ups import wake

__all__ = ["Transition", "transition"]


def transition(definition: SagaDefinition, state: SagaState | None, event: Input) -> Transition:
    """One step of one saga. Raises a ``DomainError`` only for operator inputs the state forbids."""
    if isinstance(event, Start):
        draft, instead = Draft(definition, _new(definition, event), event.at), None
        draft.effects.append(Reached(milestone=Milestone.STARTED))
    elif state is None:
        raise ValueError("only Start makes a saga")
    else:
        draft = Draft(definition, state, event.at)
        instead = _decide(draft, event)
    if instead is not None:
        return instead
    advance(draft)
    return draft.finished()


def _decide(draft: Draft, event: Reply | TimerFired | Cancel | OperatorInput) -> Transition | None:
    """None where the draft moved; otherwise the transition that moves nothing."""
    match event:
        case Reply():
            return take_reply(draft, event)
        case TimerFired():
            return wake(draft)
        case Cancel():
            return cancel(draft, event)
        case _:
            operate(draft, event)
            return None


def _new(definition: SagaDefinition, event: Start) -> SagaState:
    deadline_at = event.at + timedelta(seconds=definition.deadline_s)
    return SagaState(
        saga_id=event.saga_id,
        saga_type=definition.saga_type,
        version=definition.version,
        business_key=event.business_key,
        correlation_id=event.correlation_id,
        data=event.data,
        status=SagaStatus.STARTED,
        steps=(PENDING_STEP,) * len(definition.steps),
        seq=0,
        epoch=0,
        started_at=event.at,
        deadline_at=deadline_at,
        next_wake_at=deadline_at,
    )
