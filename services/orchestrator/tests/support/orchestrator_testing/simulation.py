"""One saga, its participants and a network without manners, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.effects import Effect, Milestone, Reached, SendCommand
from orchestrator.domain.ids import CommandId
from orchestrator.domain.inputs import Input, Reply, TimerFired
from orchestrator.domain.state import SagaState
from orchestrator.domain.transition import transition
from orchestrator.sagas import REGISTRY
from orchestrator_testing.builders import EPOCH, a_checkout, a_start
from orchestrator_testing.participants import Answer, Participants
from sampan.orchestrator.v1.commands_pb2 import StartOrderPayment

DEFINITION = REGISTRY.pinned("order_payment", 1)
DEFINITION_V2 = REGISTRY.pinned("order_payment", 2)


@dataclass
class Simulation:
    """Deliver, drop, double and reorder at will; ``lost`` and ``silent`` decide what the network eats.

    ``held``: commerce held the stock when the checkout was placed, as it does from version 2 on.
    """

    participants: Participants = field(default_factory=Participants)
    checkout: StartOrderPayment = field(default_factory=a_checkout)
    definition: SagaDefinition = DEFINITION
    held: bool = False
    now: datetime = EPOCH
    commands: list[SendCommand] = field(default_factory=list)
    replies: list[tuple[CommandId, Answer]] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    moves: list[tuple[Input, SagaState, tuple[Effect, ...]]] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    eats_command: Callable[[SendCommand], bool] = lambda _command: False
    copies_of_reply: Callable[[SendCommand], int] = lambda _command: 1
    state: SagaState | None = None

    def begin(self) -> None:
        if self.held:
            self.participants.placed(self.checkout)
        self.give(a_start(self.checkout, at=self.now))

    def give(self, event: Input, *, crash: bool = False) -> tuple[Effect, ...]:
        """One transaction of the engine. A crash before commit writes neither state nor commands."""
        state, effects = transition(self.definition, self.state, event)
        if crash:
            return effects
        if state.status.is_terminal != (state.next_wake_at is None):
            raise AssertionError("SAGA-2: terminal or woken, never neither")
        self.inputs.append(event)
        if self.state is None or state.seq != self.state.seq:
            self.moves.append((event, state, effects))
        self.state = state
        self.effects += effects
        self.commands += [effect for effect in effects if isinstance(effect, SendCommand)]
        return effects

    def deliver_command(self, index: int = 0, *, keep: bool = False) -> None:
        command = self.commands[index] if keep else self.commands.pop(index)
        if self.eats_command(command):
            return
        answer = self.participants.handle(command.body, command.command_id)
        self.replies += [(command.command_id, answer)] * self.copies_of_reply(command)
        self.check_conserved()

    def deliver_reply(self, index: int = 0, *, keep: bool = False, crash: bool = False) -> None:
        command_id, answer = self.replies[index] if keep or crash else self.replies.pop(index)
        reply = Reply(at=self.now, command_id=command_id, succeeded=answer.succeeded, code=answer.code)
        self.give(reply, crash=crash)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.fire_timer()

    def fire_timer(self) -> None:
        if self.current.next_wake_at and self.current.next_wake_at <= self.now:
            self.give(TimerFired(at=self.now))

    def wake(self) -> None:
        """Jump to the next wake-up."""
        if self.current.next_wake_at is None:
            raise AssertionError("an ended saga does not wake")
        self.now = max(self.now, self.current.next_wake_at)
        self.fire_timer()

    def settle(self, *, wakes_max: int = 400, until_unsettled: bool = False) -> None:
        """Everything that is under way arrives; where nothing is, time passes; until the saga ends.

        ``until_unsettled``: or until it waits for nothing but a person who settles a skipped step.
        """
        for _ in range(wakes_max):
            while self.commands or self.replies:
                if self.commands:
                    self.deliver_command()
                else:
                    self.deliver_reply()
            if self.current.status.is_terminal or (until_unsettled and self._waits_for_a_person):
                return
            self.wake()
        raise AssertionError(f"still {self.current.status} after {wakes_max} wake-ups")

    @property
    def _waits_for_a_person(self) -> bool:
        steps = self.current.steps
        return any(step.status.is_unsettled for step in steps) and not any(step.status.is_in_flight for step in steps)

    @property
    def current(self) -> SagaState:
        if self.state is None:
            raise AssertionError("not begun")
        return self.state

    def status_of(self, step: str) -> str:
        names = [item.name for item in self.definition.steps]
        return self.current.steps[names.index(step)].status.value

    def milestones(self) -> list[Milestone]:
        return [effect.milestone for effect in self.effects if isinstance(effect, Reached)]

    def check_conserved(self) -> None:
        if found := self.participants.problems():
            raise AssertionError(found)

    def check_end(self) -> None:
        key = [self.current.business_key]
        ended = (key, []) if self.current.status == "completed" else ([], key)
        if found := self.participants.unfinished(*ended):
            raise AssertionError(found)
