"""One transition in the making: a scratch copy of a saga's state, and what every rule of the engine does to it.

Only ``transition`` makes drafts; what comes of one is a new state. ``send`` keeps ENG-1: a command is sent at most once
per attempt, and every attempt of a round has the same id.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from orchestrator.domain.definition import CommandSpec, SagaContext, SagaDefinition
from orchestrator.domain.effects import Effect, Ignored, Milestone, Reached, SendCommand
from orchestrator.domain.ids import CommandId
from orchestrator.domain.state import (
    WAITS_FOR_UNDO,
    Failure,
    SagaState,
    SagaStatus,
    SagaUnreadableError,
    StepState,
    StepStatus,
    command_id,
)

_LOOK_AGAIN_S: Final = 3600.0  # at a saga that waits for nothing but a person


class Transition(NamedTuple):
    """The next state and what it asks for. The state is the same object when nothing changed."""

    state: SagaState
    effects: tuple[Effect, ...]


class Draft:
    """``before`` as it changes at the moment ``now``."""

    def __init__(self, definition: SagaDefinition, before: SagaState, now: datetime) -> None:
        self.definition = definition
        self.before = before
        self.now = now
        self.status = before.status
        self.steps = list(before.steps)
        self.failure = before.failure
        self.error_code = before.error_code
        self.paused_until = before.paused_until
        self.epoch = before.epoch
        self.deadline_at = before.deadline_at
        self.effects: list[Effect] = []
        self._context: SagaContext | None = None

    # --- what is so ---

    def in_flight(self) -> Iterator[tuple[int, StepState]]:
        for index, step in enumerate(self.steps):
            if step.status.is_in_flight:
                yield index, self.steps[index]

    def spec_in_flight(self, index: int) -> CommandSpec:
        """What is asked of the step's participant now."""
        spec = self.definition.steps[index]
        if self.steps[index].status is StepStatus.UNDOING:
            if spec.undo is None:
                raise AssertionError(f"{spec.name} is being undone without an undo")
            return spec.undo
        return spec.do

    def command_id(self, index: int) -> CommandId:
        """Of the step's present round and direction."""
        step = self.steps[index]
        undo = step.status in WAITS_FOR_UNDO
        return command_id(self.before.saga_id, self.definition.steps[index].name, undo=undo, round_number=step.round)

    def may_turn_back(self) -> bool:
        """Until the pivot is sent."""
        pivot = self.definition.pivot_index
        if self.status is not SagaStatus.STARTED:
            return False
        return pivot is None or self.steps[pivot].status is StepStatus.PENDING

    def is_due(self) -> bool:
        due_at = self.due_at()
        return due_at is not None and due_at <= self.now

    def due_at(self) -> datetime | None:
        """When the next thing is due, exactly; None for a saga that has ended."""
        if self.status.is_terminal:
            return None
        if self.paused_until is not None:
            return self.paused_until
        moments = [step.wake_at for _, step in self.in_flight() if step.wake_at is not None]
        if self.may_turn_back():
            moments.append(self.deadline_at)
        return min(moments, default=self.now + timedelta(seconds=_LOOK_AGAIN_S))

    # --- what rules do ---

    def send(self, index: int) -> None:
        """Send the step's command: the next attempt, in a new round if the present one was refused."""
        if self.paused_until is not None:
            self.steps[index] = self.steps[index]._replace(wake_at=self.paused_until)
            return
        step, spec = self.steps[index], self.spec_in_flight(index)
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
        body = spec.build(self._facts())
        self.effects.append(SendCommand(step=name, undo=undo, command_id=sent_id, attempt=attempts, body=body))

    def fail(self, code: str, detail: str, step: str) -> None:
        """From here on the saga is undone. The first failure is the saga's."""
        self.failure = self.failure or Failure(code=code, detail=detail, step=step)
        self.error_code = code
        self.status = SagaStatus.COMPENSATING
        self.effects.append(Reached(milestone=Milestone.COMPENSATING, step=step, reason=code))

    def call_operator(self, index: int, reason: str) -> None:
        """Once for a step; a fresh start of its attempts may call again."""
        step = self.steps[index]
        if step.stuck:
            return
        self.steps[index] = step._replace(stuck=True)
        name = self.definition.steps[index].name
        self.effects.append(Reached(milestone=Milestone.NEEDS_OPERATOR, step=name, reason=reason))

    def end_pause(self) -> None:
        """A deadline that passed meanwhile is extended; what waits is asked again, with fresh attempts."""
        if self.paused_until is not None:
            self.paused_until = None
            self.deadline_at = max(self.deadline_at, self.now + timedelta(seconds=self.definition.deadline_s))
        self.ask_again()

    def ask_again(self) -> None:
        """Fresh attempts, now, for everything in flight, and again for what was skipped."""
        for index, step in enumerate(self.steps):
            if step.status.is_open:
                asked = StepStatus.UNDOING if step.status in WAITS_FOR_UNDO else StepStatus.RUNNING
                self.steps[index] = step._replace(status=asked, attempts=0, stuck=False)
                self.send(index)

    # --- what comes of it ---

    def ignored(self, reason: str) -> Transition:
        return Transition(self.before, (Ignored(reason=reason),))

    def woken_early(self) -> Transition:
        """Nothing was due: only the wake-up is set anew."""
        return Transition(self.before._replace(next_wake_at=self.due_at()), (Ignored(reason="early"),))

    def finished(self) -> Transition:
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

    def _facts(self) -> SagaContext:
        if self._context is None:
            self._context = SagaContext(
                saga_id=self.before.saga_id,
                data=self._data(),
                failure_code=self.failure.code if self.failure else "",
            )
        return self._context

    def _data(self) -> Any:
        try:
            return self.definition.decode(self.before.data)
        except Exception as error:  # each definition's decoder has its own
            raise SagaUnreadableError(f"{type(error).__name__} in its data: {error}") from error

    def _lazy_wake_at(self) -> datetime | None:
        """Keep an earlier wake-up that is still ahead: the indexed column stays, and the row's update stays cheap."""
        due_at, kept = self.due_at(), self.before.next_wake_at
        if due_at is None or kept is None:
            return due_at
        return kept if self.now < kept <= due_at else due_at
