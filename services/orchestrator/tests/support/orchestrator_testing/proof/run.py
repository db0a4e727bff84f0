"""One scenario played to its end: commands, answers and timers between an engine and a ledger, on a clock of its own."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from google.protobuf.message import Message

from kernel.errors import DomainError
from orchestrator.domain.batch import AddressedInput, AppliedTransition
from orchestrator.domain.definition import SagaDefinition, StepKind
from orchestrator.domain.effects import SendCommand
from orchestrator.domain.ids import SagaId
from orchestrator.domain.inputs import (
    Cancel,
    ForceCompensation,
    Operated,
    Pause,
    SettleStep,
    SkipStep,
    Start,
    TimerFired,
)
from orchestrator.domain.operator_acts import StepNotSkippableError
from orchestrator.domain.state import FailureCode, SagaState, SagaStatus
from orchestrator.entrypoints.consumers import addressed_input_of
from orchestrator.sagas.triggers import MalformedRecordError
from orchestrator_testing.builders import EPOCH
from orchestrator_testing.participants import Answer
from orchestrator_testing.proof.engine import Engine
from orchestrator_testing.proof.ledger import Ledger, Model
from orchestrator_testing.proof.scenarios import Fault, How, Interrupt, Node, Repeat, Scenario
from orchestrator_testing.records import REPLIES, record
from sampan.orchestrator.v1.reply_pb2 import OUTCOME_REJECTED, OUTCOME_SUCCEEDED, CommandReply

SAGA_ID: Final = SagaId(UUID("019a0000-0000-7000-8000-000000000001"))
CANCELLED_CODE: Final = "proof.cancelled"
_WAKES_MAX: Final = 500
_PAUSE_S: Final = 3600.0

Sent = tuple[SendCommand, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is proved: a definition, what starts it, who takes part in it, and the engine that runs it."""

    definition: SagaDefinition
    payload: Message
    business_key: str
    participants: Callable[[], Model] | None
    engine: Callable[[SagaDefinition], Engine]


class Run:
    """``problems`` are sentences; what was applied, and all that was sent, is on record for the checks."""

    def __init__(self, subject: Subject, scenario: Scenario) -> None:
        self.definition = subject.definition
        self.scenario = scenario
        self.ledger = Ledger(subject.participants() if subject.participants else None)
        self.problems: list[str] = []
        self.applied: list[AppliedTransition] = []
        self.sent: list[SendCommand] = []
        self.turned_back: str | None = None  # the code of an interruption that undid the saga
        self._engine = subject.engine(subject.definition)
        self._key = (subject.definition.saga_type, subject.business_key)
        self._payload = subject.payload
        self._now = EPOCH
        self._commands: deque[SendCommand] = deque()
        self._answers: deque[Sent] = deque()
        self._held: deque[Sent] = deque()
        self._seen: list[Sent] = []
        self._last_ids: dict[Node, UUID] = {}
        self._failed: Counter[Fault] = Counter()
        self._released = False
        self._interrupted = self._skipped = False

    @property
    def state(self) -> SagaState:
        return self._engine.state

    def failed_sends(self, node: Node) -> int:
        """How many of the node's commands the scenario's faults befell."""
        return sum(count for fault, count in self._failed.items() if fault.node == node)

    def play(self) -> None:
        """Until it has ended and nothing is under way."""
        start = Start(
            at=self._now,
            saga_id=SAGA_ID,
            business_key=self._key[1],
            correlation_id="proof",
            data=self._payload.SerializeToString(),
        )
        self._give(AddressedInput(event=start, key=self._key))
        for _ in range(_WAKES_MAX):
            self._deliver_all()
            self._release_held()
            if self._answers:
                continue
            if self.state.status.is_terminal:
                break
            if self.state.next_wake_at is None:
                return  # SAGA-2 does not hold, and the checks say so
            if any(step.status.is_unsettled for step in self.state.steps):
                self._settle_what_was_skipped()
            else:
                self._wake()
        if Repeat.REPLIES in self.scenario.repeats and self.state.status.is_terminal:
            self._repeat_all_answers()

    # --- the network ---

    def _deliver_all(self) -> None:
        while self._commands or self._answers:
            if self._commands:
                self._deliver_command(self._commands.popleft())
            else:
                self._deliver_answer(*self._answers.popleft())
            self._skip()
            self._release_held()

    def _deliver_command(self, command: SendCommand) -> None:
        how = self._fault_of(command)
        if how is How.LOST:
            return
        for _ in range(2 if Repeat.COMMANDS in self.scenario.repeats else 1):
            answer = self.ledger.handle(command, refuse=how is How.REFUSED)
        if how is How.MALFORMED:
            self._give_unreadable_answer(command)
        elif how in {How.LATE, How.CROSSING}:
            self._held.append((command, answer))
        elif how is not How.UNANSWERED:
            copies = 3 if Repeat.REPLIES in self.scenario.repeats else 1
            self._answers.extend([(command, answer)] * copies)

    def _deliver_answer(self, command: SendCommand, answer: Answer) -> None:
        self._seen.append((command, answer))
        self._give(self._reply(command.command_id, answer))
        if Repeat.REPLIES in self.scenario.repeats:
            self._must_change_nothing(self._reply(uuid4(), answer), "an answer to a command nobody sent")

    def _fault_of(self, command: SendCommand) -> How | None:
        node = Node(command.step, command.undo)
        for fault in self.scenario.faults:
            if fault.node != node or (fault.how in {How.LATE, How.CROSSING} and self._released):
                continue
            if self._failed[fault] < fault.times:
                self._failed[fault] += 1
                return fault.how
        return None

    def _release_held(self) -> None:
        if not self._held:
            return
        state = self.state
        crossing = any(fault.how is How.CROSSING for fault in self.scenario.faults)
        if state.status.is_terminal or state.needs_operator or (crossing and state.status is SagaStatus.COMPENSATING):
            self._released = True
            self._answers.extendleft(self._held)
            self._held.clear()

    def _repeat_all_answers(self) -> None:
        """Answers from long ago. A success that was undone is undone again, and the saga ends as it had."""
        before = self.state
        for command, answer in list(self._seen):
            item = self._reply(command.command_id, answer)
            if before.status is SagaStatus.COMPLETED or not answer.succeeded:
                self._must_change_nothing(item, "an answer from long ago")
            else:
                self._give(item)
                self._deliver_all()
        if self.state.status is not before.status or self.state.failure != before.failure:
            self.problems.append(f"answers from long ago made it {self.state.status}, it was {before.status}")

    def _reply(self, command_id: UUID, answer: Answer) -> AddressedInput:
        body = CommandReply(
            reply_key=str(SAGA_ID),
            command_id=str(command_id),
            outcome=OUTCOME_SUCCEEDED if answer.succeeded else OUTCOME_REJECTED,
            code=answer.code,
        )
        return addressed_input_of(record(body, REPLIES), self._now)

    def _give_unreadable_answer(self, command: SendCommand) -> None:
        """It goes to the dead letters, and the saga never hears of it."""
        body = CommandReply(reply_key=str(SAGA_ID), command_id=str(command.command_id))
        try:
            addressed_input_of(record(body, REPLIES), self._now)
        except MalformedRecordError:
            return
        self.problems.append("an answer that says no outcome was taken in")

    # --- the engine ---

    def _give(self, item: AddressedInput) -> None:
        crash = self._comes_now(Interrupt.CRASH)
        if crash:
            self._engine.take(item)  # and dies before its commit
        batch = self._engine.take(item)
        self._engine.commit(batch)
        self.applied += batch.applied
        copies = 2 if crash else 1  # the relay dies before it knows that it has sent
        for each in batch.applied:
            sent = [effect for effect in each.effects if isinstance(effect, SendCommand)]
            self._check_ids(sent)
            self.sent += sent
            self._commands.extend(sent * copies)
        if crash or (Repeat.INPUTS in self.scenario.repeats and not isinstance(item.event, Operated)):
            self._must_change_nothing(item, "an input that was read again")
        if batch.applied:
            self._interrupt()

    def _check_ids(self, sent: Iterable[SendCommand]) -> None:
        """ENG-1: silence repeats the id; only what was answered is asked for with a new one."""
        for command in sent:
            node = Node(command.step, command.undo)
            last = self._last_ids.setdefault(node, command.command_id)
            if last not in {command.command_id, *(each.command_id for each, _ in self._seen)}:
                self.problems.append(f"{node} was sent with a new id, and the last one was not answered")
            self._last_ids[node] = command.command_id

    def _must_change_nothing(self, item: AddressedInput, what: str) -> None:
        """But for the wake-up of a saga that is looked at early."""
        before = self.state
        batch = self._engine.take(item)
        self._engine.commit(batch)
        if batch.applied or self.state._replace(next_wake_at=before.next_wake_at) != before:
            self.problems.append(f"{what} ({item.event.kind}) changed it")
            self.applied += batch.applied

    def _wake(self) -> None:
        self._now = max(self._now, self.state.next_wake_at or self._now)
        self._give(AddressedInput(event=TimerFired(at=self._now), saga_id=SAGA_ID))

    # --- what people and time do ---

    def _comes_now(self, interrupt: Interrupt) -> bool:
        wanted = self.scenario.interrupt is interrupt and not self._interrupted
        if wanted and len(self.applied) >= self.scenario.after - (interrupt is Interrupt.CRASH):
            self._interrupted = True
            return True
        return False

    def _interrupt(self) -> None:
        who: dict[str, Any] = {"at": self._now, "actor": "proof", "reason": "proof"}
        if self._comes_now(Interrupt.CANCEL):
            self._turn_back(Cancel(at=self._now, code=CANCELLED_CODE), CANCELLED_CODE)
        elif self._comes_now(Interrupt.DEADLINE):
            self._now = max(self._now, self.state.deadline_at)
            self._turn_back(TimerFired(at=self._now), FailureCode.DEADLINE_PASSED)
        elif self._comes_now(Interrupt.FORCE):
            self._turn_back(ForceCompensation(**who), FailureCode.FORCED_BY_OPERATOR)
        elif self._comes_now(Interrupt.PAUSE) and not self.state.status.is_terminal:
            until = self._now + timedelta(seconds=_PAUSE_S)
            self._give(AddressedInput(event=Pause(**who, until=until), saga_id=SAGA_ID))

    def _turn_back(self, event: Cancel | TimerFired | ForceCompensation, code: str) -> None:
        """Until the pivot is sent it undoes the saga; from then on it must not."""
        pivots = {step.name for step in self.definition.steps if step.kind is StepKind.PIVOT}
        allowed = self.state.status is SagaStatus.STARTED and not any(each.step in pivots for each in self.sent)
        before = self.state.status
        try:
            self._give(AddressedInput(event=event, saga_id=SAGA_ID))
        except DomainError:
            if allowed:
                self.problems.append(f"{event.kind} was refused before the pivot")
            return
        if allowed:
            self.turned_back = code
        elif before is SagaStatus.STARTED and self.state.status not in {before, SagaStatus.COMPLETED}:
            self.problems.append(f"{event.kind} undid it past its pivot")

    def _skip(self) -> None:
        """An operator skips the step in question as soon as it waits for its answer."""
        node = self.scenario.skipped
        if node is None or self._skipped or node not in {Node(each.step, each.undo) for each in self.sent}:
            return
        self._skipped = True
        skippable = {Node(each.name) for each in self.definition.steps if each.do.skippable}
        skippable |= {Node(each.name, undo=True) for each in self.definition.steps if each.undo and each.undo.skippable}
        who: dict[str, Any] = {"at": self._now, "actor": "proof", "reason": "proof"}
        before = self.state
        try:
            self._give(AddressedInput(event=SkipStep(**who, step=node.step, open_task=True), saga_id=SAGA_ID))
        except StepNotSkippableError:
            if node in skippable or self.state != before:
                self.problems.append(f"{node} may be skipped, and was not")
        else:
            if node not in skippable:
                self.problems.append(f"{node} was skipped, and may not be")

    def _settle_what_was_skipped(self) -> None:
        """SAGA-6: while it is unsettled the saga waits. Then somebody does it by hand, and says so."""
        node = self.scenario.skipped
        if node is None:
            raise AssertionError("nobody skipped anything")
        seq = self.state.seq
        for _ in range(3):
            self._wake()
        if self.state.seq != seq or self._commands:
            self.problems.append(f"it went on while {node} was unsettled")
        command = next(each for each in reversed(self.sent) if (each.step, each.undo) == node)
        self.ledger.handle_by_hand(command)
        who: dict[str, Any] = {"at": self._now, "actor": "proof", "reason": "proof"}
        event = SettleStep(**who, step=node.step, reference="proof")
        self._give(AddressedInput(event=event, saga_id=SAGA_ID))
