"""The saga engine's core: ``transition(definition, state, input) -> (state, effects)``, pure.

Rules it keeps:
- ENG-1: a command is sent at most once per attempt, and every attempt of a round has the same id.
- ENG-2: before the pivot is sent, a refusal, silence past the attempts, the deadline or a cancel undoes the saga.
- ENG-3: once the pivot is sent, only its refusal undoes the saga; silence is asked again, because a pivot that may
  have happened has no undo.
- ENG-4: every step that was sent and not refused is undone, stage by stage backwards, whether or not it answered.
- ENG-5: a success that arrives for a step held to be absent is undone again, even after the saga had failed.
- ENG-6: what must finish is never given up: past its attempts an operator is called and slow attempts go on.
- ENG-7: no act of an operator ends a saga with something unsettled: a skipped step keeps it waiting, all that comes
  after it too, until the participant's late answer or a person's word that it was done by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from orchestrator.domain.definition import CommandSpec, SagaContext, SagaDefinition, StepKind
from orchestrator.domain.effects import (
    Effect,
    Ignored,
    Milestone,
    Reached,
    SendCommand,
    StepSettled,
    StepTimedOut,
)
from orchestrator.domain.errors import (
    AlreadyCompensatingError,
    NotPausedOrStuckError,
    PastPivotError,
    SagaEndedError,
    SagaPausedError,
    StepNotInFlightError,
    StepNotSkippableError,
    StepNotSkippedError,
)
from orchestrator.domain.inputs import (
    Cancel,
    ForceCompensation,
    Input,
    Operated,
    Pause,
    Reply,
    Resume,
    RetryNow,
    SettleStep,
    SkipStep,
    Start,
    TimerFired,
)
from orchestrator.domain.state import (
    PENDING_STEP,
    Failure,
    SagaState,
    SagaStatus,
    StepState,
    StepStatus,
    command_id,
)

DEADLINE_CODE = "orchestrator.saga.deadline_passed"
TIMEOUT_CODE = "orchestrator.step.timed_out"
FORCED_CODE = "orchestrator.saga.forced_by_operator"

_ABSENT = frozenset({StepStatus.REJECTED, StepStatus.UNDONE, StepStatus.UNDO_BY_HAND, StepStatus.UNDO_SKIPPED})
_TO_UNDO = frozenset({StepStatus.RUNNING, StepStatus.DONE, StepStatus.SKIPPED})
_PASSED = frozenset({StepStatus.DONE, StepStatus.BY_HAND, StepStatus.SKIPPED})
_WAITS_FOR_DO = frozenset({StepStatus.RUNNING, StepStatus.UNSETTLED})
_WAITS_FOR_UNDO = frozenset({StepStatus.UNDOING, StepStatus.UNDO_UNSETTLED})
_UNDO_SIDE = frozenset({*_WAITS_FOR_UNDO, StepStatus.UNDONE, StepStatus.UNDO_BY_HAND, StepStatus.UNDO_SKIPPED})
# How a step that was skipped is settled by hand; the last two were skipped before there were tasks.
_BY_HAND = {
    StepStatus.UNSETTLED: StepStatus.BY_HAND,
    StepStatus.UNDO_UNSETTLED: StepStatus.UNDO_BY_HAND,
    StepStatus.SKIPPED: StepStatus.BY_HAND,
    StepStatus.UNDO_SKIPPED: StepStatus.UNDO_BY_HAND,
}
UNSETTLED_CODE = "orchestrator.step.unsettled"
_LOOK_AGAIN_S = 3600.0  # at a saga that waits for nothing but a person
_RUNNING = StepState(StepStatus.RUNNING)


class Transition(NamedTuple):
    """The next state and what it asks for. The state is the same object when nothing changed."""

    state: SagaState
    effects: tuple[Effect, ...]


def transition(definition: SagaDefinition, state: SagaState | None, event: Input) -> Transition:
    """One step of one saga. Raises a ``DomainError`` only for operator inputs the state forbids."""
    if isinstance(event, Start):
        return _Run(definition, _born(definition, event), event.at).started()
    if state is None:
        raise ValueError("only Start makes a saga")
    run = _Run(definition, state, event.at)
    match event:
        case Reply():
            return run.replied(event)
        case TimerFired():
            return run.woken()
        case Cancel():
            return run.cancelled(event)
        case _:
            return run.operated(event)


def _born(definition: SagaDefinition, event: Start) -> SagaState:
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


class _Run:
    """One transition in the making: a scratch copy of the state that only this module sees."""

    def __init__(self, definition: SagaDefinition, state: SagaState, now: datetime) -> None:
        self.definition = definition
        self.before = state
        self.now = now
        self.status = state.status
        self.steps = list(state.steps)
        self.failure = state.failure
        self.error_code = state.error_code
        self.paused_until = state.paused_until
        self.epoch = state.epoch
        self.deadline_at = state.deadline_at
        self.effects: list[Effect] = []
        self._context: SagaContext | None = None

    # --- inputs ---

    def started(self) -> Transition:
        self.effects.append(Reached(milestone=Milestone.STARTED))
        return self._finish()

    def replied(self, reply: Reply) -> Transition:
        found = self._find(reply)
        if found is None:
            return self._ignore("unknown_command")
        index, undo, round_number = found
        step = self.steps[index]
        waits = step.status in (_WAITS_FOR_UNDO if undo else _WAITS_FOR_DO)
        if waits and step.status.is_unsettled and not reply.succeeded:
            return self._ignore("skipped")
        if waits and round_number == step.round and not step.refused:
            self._answered(index, reply, undo=undo)
            return self._finish()
        if not undo and reply.succeeded and step.status in _ABSENT:
            return self._came_late(index)
        return self._ignore("duplicate" if not waits else "superseded")

    def woken(self) -> Transition:
        if self.status.is_terminal:
            return self._ignore("ended")
        if self.paused_until is not None and self.now >= self.paused_until:
            self._end_pause()
            self.epoch += 1
            return self._finish()
        if self.paused_until is not None or not self._is_due():
            return Transition(self.before._replace(next_wake_at=self._due_at()), (Ignored(reason="early"),))
        self.epoch += 1
        if self._may_turn_back() and self.now >= self.deadline_at:
            self._fail(DEADLINE_CODE, "The saga did not reach its pivot in time", "")
        else:
            self._give_up_attempts()
        return self._finish()

    def cancelled(self, cancel: Cancel) -> Transition:
        if self.status is not SagaStatus.STARTED:
            return self._ignore("not_running")
        if not self._may_turn_back():
            return self._ignore("past_pivot")
        self._fail(cancel.code, "Cancelled by its owner", "")
        return self._finish()

    def operated(self, event: Operated) -> Transition:
        settles = isinstance(event, SettleStep) and self._skipped(event.step) is not None
        if self.status.is_terminal and not settles:
            raise SagaEndedError(f"It ended as {self.status}")
        self.epoch += 1
        match event:
            case RetryNow():
                self._retry_now()
            case ForceCompensation():
                self._force_compensation(event)
            case Pause():
                self.paused_until = event.until
            case Resume():
                self._resume()
            case SkipStep():
                self._skip(event)
            case SettleStep():
                self._settle(event)
            case _:
                raise TypeError(f"{type(event).__name__} is not an operator's input")
        return self._finish()

    # --- what an answer does ---

    def _find(self, reply: Reply) -> tuple[int, bool, int] | None:
        """Which step, direction and round the command id belongs to; what is in flight is tried first."""
        for index, step in self._in_flight():
            undo, name = step.status is StepStatus.UNDOING, self.definition.steps[index].name
            own = command_id(self.before.saga_id, name, undo=undo, round_number=step.round)
            if own == reply.command_id:
                return index, undo, step.round
        return self._find_settled(reply)

    def _find_settled(self, reply: Reply) -> tuple[int, bool, int] | None:
        """The rarer case: a duplicate, or an answer to a round or a direction that was left behind."""
        for index, step in enumerate(self.steps):
            if step.status is StepStatus.PENDING:
                continue
            spec, undo_side = self.definition.steps[index], _is_undo_side(step.status)
            for undo in (undo_side, not undo_side) if spec.undo else (False,):
                # A step that can be undone is done in one round: its refusal is final.
                for number in range(step.round if undo is undo_side else 1, 0, -1):
                    own = command_id(self.before.saga_id, spec.name, undo=undo, round_number=number)
                    if own == reply.command_id:
                        return index, undo, number
        return None

    def _answered(self, index: int, reply: Reply, *, undo: bool) -> None:
        step, spec = self.steps[index], self.definition.steps[index]
        latency_s = (self.now - step.since).total_seconds() if step.since else 0.0
        outcome = "succeeded" if reply.succeeded else "rejected"
        self.effects.append(StepSettled(step=spec.name, undo=undo, outcome=outcome, latency_s=latency_s))
        if reply.succeeded:
            done = StepStatus.UNDONE if undo else StepStatus.DONE
            self.steps[index] = StepState(done, step.attempts, step.round)
            return
        self.error_code = reply.code
        if undo or spec.kind in {StepKind.RETRIABLE, StepKind.CLOSING}:
            self._refused_but_must(index, reply.code)
            return
        self.steps[index] = StepState(StepStatus.REJECTED, step.attempts, step.round)
        self._fail(reply.code, reply.detail, spec.name)

    def _refused_but_must(self, index: int, code: str) -> None:
        step = self.steps[index]
        policy = self._spec_in_flight(index).retry
        pause_s = policy.pause_s(step.attempts, self._command_id(index))
        self.steps[index] = step._replace(refused=True, wake_at=self.now + timedelta(seconds=pause_s))
        if step.attempts >= policy.attempts_max:
            self._call_operator(index, code)

    def _came_late(self, index: int) -> Transition:
        spec = self.definition.steps[index]
        if spec.undo is None:
            return self._ignore("late_without_undo")
        self.status = SagaStatus.COMPENSATING
        step = self.steps[index]
        rounds = step.round + 1 if _is_undo_side(step.status) else 1
        self.steps[index] = StepState(StepStatus.UNDOING, round=rounds)
        self._send(index)
        return self._finish()

    def _fail(self, code: str, detail: str, step: str) -> None:
        self.failure = self.failure or Failure(code=code, detail=detail, step=step)
        self.error_code = code
        self.status = SagaStatus.COMPENSATING
        self.effects.append(Reached(milestone=Milestone.COMPENSATING, step=step, reason=code))

    # --- what time does ---

    def _give_up_attempts(self) -> None:
        for index, step in self._in_flight():
            if step.wake_at is None or step.wake_at > self.now:
                continue
            spec = self.definition.steps[index]
            undo = step.status is StepStatus.UNDOING
            if not step.refused and step.attempts:
                self.effects.append(StepTimedOut(step=spec.name, undo=undo, attempt=step.attempts))
            exhausted = step.attempts >= self._spec_in_flight(index).retry.attempts_max
            if exhausted and spec.kind is StepKind.COMPENSABLE and not undo:
                self._fail(TIMEOUT_CODE, f"No answer after {step.attempts} attempts", spec.name)
                return
            if exhausted:
                self._call_operator(index, self.error_code if step.refused else TIMEOUT_CODE)
            self._send(index)

    def _call_operator(self, index: int, reason: str) -> None:
        step = self.steps[index]
        if step.stuck:
            return
        self.steps[index] = step._replace(stuck=True)
        name = self.definition.steps[index].name
        self.effects.append(Reached(milestone=Milestone.NEEDS_OPERATOR, step=name, reason=reason))

    # --- what a person does ---

    def _retry_now(self) -> None:
        if self.paused_until is not None:
            raise SagaPausedError
        self._release_in_flight()

    def _force_compensation(self, event: ForceCompensation) -> None:
        if self.status is SagaStatus.COMPENSATING:
            raise AlreadyCompensatingError
        if not self._may_turn_back():
            raise PastPivotError
        self._fail(FORCED_CODE, event.reason, "")

    def _resume(self) -> None:
        if self.paused_until is None and not any(step.stuck for step in self.steps):
            raise NotPausedOrStuckError
        self._end_pause()

    def _end_pause(self) -> None:
        if self.paused_until is not None:
            self.paused_until = None
            self.deadline_at = max(self.deadline_at, self.now + timedelta(seconds=self.definition.deadline_s))
        self._release_in_flight()

    def _skip(self, event: SkipStep) -> None:
        for index, step in self._in_flight():
            if self.definition.steps[index].name == event.step:
                undo = step.status is StepStatus.UNDOING
                if not event.open_task:
                    status = StepStatus.UNDO_SKIPPED if undo else StepStatus.SKIPPED
                    self.steps[index] = StepState(status, step.attempts, step.round)
                    return
                if not self._spec_in_flight(index).skippable:
                    raise StepNotSkippableError(f"{event.step} cannot be taken for done")
                self._call_operator(index, UNSETTLED_CODE)
                status = StepStatus.UNDO_UNSETTLED if undo else StepStatus.UNSETTLED
                self.steps[index] = self.steps[index]._replace(status=status, wake_at=None)
                return
        raise StepNotInFlightError(f"{event.step} does not wait for an answer")

    def _settle(self, event: SettleStep) -> None:
        index = self._skipped(event.step)
        if index is None:
            raise StepNotSkippedError(f"{event.step} was not skipped")
        step = self.steps[index]
        self.steps[index] = StepState(_BY_HAND[step.status], step.attempts, step.round)

    def _skipped(self, name: str) -> int | None:
        """The step of that name, if it was skipped and nobody said who did it."""
        for index, step in enumerate(self.steps):
            if step.status in _BY_HAND and self.definition.steps[index].name == name:
                return index
        return None

    def _release_in_flight(self) -> None:
        """Fresh attempts, now, for everything in flight, and again for what was skipped."""
        for index, step in enumerate(self.steps):
            if step.status.is_open:
                undo = step.status in _WAITS_FOR_UNDO
                asked = StepStatus.UNDOING if undo else StepStatus.RUNNING
                self.steps[index] = step._replace(status=asked, attempts=0, stuck=False)
                self._send(index)

    # --- going on ---

    def _advance(self) -> None:
        """Send what may be sent, until something must be waited for."""
        if self.paused_until is not None or self.status.is_terminal:
            return
        if self.status is SagaStatus.STARTED:
            self._go_forward()
        if self.status is SagaStatus.COMPENSATING:
            self._go_back()

    def _go_forward(self) -> None:
        steps = self.steps
        for group in self.definition.groups:
            joined = True
            for index in group:
                if steps[index].status is StepStatus.PENDING:
                    steps[index] = _RUNNING
                    self._send(index)
                joined = joined and steps[index].status in _PASSED
            if not joined:
                return
        self.status = SagaStatus.COMPLETED
        self.effects.append(Reached(milestone=Milestone.ENDED))

    def _go_back(self) -> None:
        for group in reversed(self.definition.groups):
            for index in group:
                if self.definition.steps[index].undo and self.steps[index].status in _TO_UNDO:
                    self.steps[index] = StepState(StepStatus.UNDOING)
                    self._send(index)
            if any(self.steps[i].status in _WAITS_FOR_UNDO for i in group):
                return
        closing = self.definition.closing_index
        if closing is not None:
            if self.steps[closing].status is StepStatus.PENDING:
                self.steps[closing] = StepState(StepStatus.RUNNING)
                self._send(closing)
            if self.steps[closing].status not in _PASSED:
                return
        self.status = SagaStatus.FAILED
        reason = self.failure.code if self.failure else ""
        self.effects.append(Reached(milestone=Milestone.ENDED, reason=reason))

    def _send(self, index: int) -> None:
        """Send the step's command: the next attempt, in a new round if the present one was refused."""
        if self.paused_until is not None:
            self.steps[index] = self.steps[index]._replace(wake_at=self.paused_until)
            return
        step, spec = self.steps[index], self._spec_in_flight(index)
        name, undo = self.definition.steps[index].name, step.status is StepStatus.UNDOING
        attempts = step.attempts + 1
        round_number = step.round + 1 if step.refused else step.round
        sent_id = command_id(self.before.saga_id, name, undo=undo, round_number=round_number)
        pause_s = spec.retry.pause_s(attempts, sent_id) if attempts > 1 else 0.0
        self.steps[index] = StepState(
            step.status,
            attempts,
            round_number,
            stuck=step.stuck,
            since=step.since or self.now,
            wake_at=self.now + timedelta(seconds=spec.timeout_s + pause_s),
        )
        self.effects.append(
            SendCommand(
                step=name,
                undo=undo,
                command_id=sent_id,
                attempt=attempts,
                body=spec.build(self._facts()),
            )
        )

    # --- looking ---

    def _in_flight(self) -> Iterator[tuple[int, StepState]]:
        for index, step in enumerate(self.steps):
            if step.status.is_in_flight:
                yield index, self.steps[index]

    def _spec_in_flight(self, index: int) -> CommandSpec:
        spec = self.definition.steps[index]
        if self.steps[index].status is StepStatus.UNDOING:
            if spec.undo is None:
                raise AssertionError(f"{spec.name} is being undone without an undo")
            return spec.undo
        return spec.do

    def _command_id(self, index: int) -> UUID:
        step = self.steps[index]
        name = self.definition.steps[index].name
        undo = step.status in _WAITS_FOR_UNDO
        return command_id(self.before.saga_id, name, undo=undo, round_number=step.round)

    def _may_turn_back(self) -> bool:
        pivot = self.definition.pivot_index
        if self.status is not SagaStatus.STARTED:
            return False
        return pivot is None or self.steps[pivot].status is StepStatus.PENDING

    def _facts(self) -> SagaContext:
        if self._context is None:
            self._context = SagaContext(
                saga_id=self.before.saga_id,
                data=self.definition.decode(self.before.data),
                failure_code=self.failure.code if self.failure else "",
            )
        return self._context

    def _is_due(self) -> bool:
        due_at = self._due_at()
        return due_at is not None and due_at <= self.now

    def _due_at(self) -> datetime | None:
        """When the next thing is due, exactly."""
        if self.status.is_terminal:
            return None
        if self.paused_until is not None:
            return self.paused_until
        moments = [step.wake_at for _, step in self._in_flight() if step.wake_at is not None]
        if self._may_turn_back():
            moments.append(self.deadline_at)
        return min(moments, default=self.now + timedelta(seconds=_LOOK_AGAIN_S))

    # --- the result ---

    def _ignore(self, reason: str) -> Transition:
        return Transition(self.before, (Ignored(reason=reason),))

    def _finish(self) -> Transition:
        self._advance()
        ended = self.status.is_terminal
        state = self.before._replace(
            status=self.status,
            steps=tuple(self.steps),
            seq=self.before.seq + 1,
            epoch=self.epoch,
            ended_at=(self.before.ended_at or self.now) if ended else None,
            next_wake_at=self._lazy_wake_at(),
            paused_until=None if ended else self.paused_until,
            failure=self.failure,
            error_code=self.error_code,
            deadline_at=self.deadline_at,
        )
        return Transition(state, tuple(self.effects))

    def _lazy_wake_at(self) -> datetime | None:
        """Keep an earlier wake-up that is still ahead: the indexed column stays, and the row's update stays cheap."""
        due_at, kept = self._due_at(), self.before.next_wake_at
        if due_at is None or kept is None:
            return due_at
        return kept if self.now < kept <= due_at else due_at


def _is_undo_side(status: StepStatus) -> bool:
    return status in _UNDO_SIDE
