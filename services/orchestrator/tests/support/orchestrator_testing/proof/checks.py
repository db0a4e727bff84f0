"""What must be so when a scenario has been played, whatever it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import orjson

from orchestrator.adapters.history_store import entry_json, input_of, sent_by, sent_of
from orchestrator.domain.definition import StepKind
from orchestrator.domain.effects import Milestone, Reached, SendCommand
from orchestrator.domain.history import HistoryEntry, replay_history
from orchestrator.domain.state import ABSENT, PASSED, TO_UNDO, FailureCode, SagaState, SagaStatus, StepStatus
from orchestrator_testing.proof.run import Run
from orchestrator_testing.proof.scenarios import REFUSED_CODE, How, Node, Repeat, fits_before_deadline, nodes_of
from orchestrator_testing.rows import row_of

_TO_UNDO: Final = TO_UNDO | {StepStatus.UNDOING}


def faults_of(run: Run) -> Iterator[str]:
    """Sentences; none when the scenario holds."""
    yield from run.problems
    yield from run.ledger.problems
    if not run.state.status.is_terminal:
        yield f"it has not ended, but is {run.state.status}"
        return
    yield from _its_end(run)
    yield from _what_was_done(run)
    yield from _order_of_sending(run)
    yield from _sends(run)
    yield from _wake_ups(run)
    yield from _milestones(run)
    yield from _replay(run)
    if run.ledger.model:
        completed = run.state.status is SagaStatus.COMPLETED
        keys = [run.state.business_key]
        yield from run.ledger.model.unfinished(*((keys, []) if completed else ([], keys)))


def _its_end(run: Run) -> Iterator[str]:
    state, scenario = run.state, run.scenario
    expected = SagaStatus.FAILED if run.turned_back else scenario.ends
    if expected is not None and state.status is not expected:
        yield f"it ends as {state.status}, not as {expected}"
    if state.next_wake_at is not None or state.ended_at is None:
        yield "SAGA-4: an ended saga has its end, and no wake-up"
    if state.status is SagaStatus.FAILED:
        if state.failure is None:
            yield "it failed and says no reason"
        elif run.turned_back and state.failure.code != run.turned_back:
            yield f"it failed for {state.failure.code}, not for {run.turned_back}"
        elif not run.turned_back and (state.failure.code, state.failure.step) not in set(_reasons(run)):
            yield f"it failed for {state.failure.code} of {state.failure.step or 'nobody'}"
    for spec, step in zip(run.definition.steps, state.steps, strict=True):
        if step.status.is_open or step.stuck:
            yield f"SAGA-6: {spec.name} is {step.status}, and the saga has ended"


def _reasons(run: Run) -> Iterator[tuple[str, str]]:
    """Code and step of what may have failed it."""
    specs = {node: spec for node, _, spec in nodes_of(run.definition)}
    for fault in run.scenario.faults:
        spec = specs[fault.node]
        yield REFUSED_CODE if fault.how is How.REFUSED else FailureCode.TIMED_OUT, fault.node.step
        if not fits_before_deadline(run.definition, spec, attempts=spec.retry.attempts_max):
            yield FailureCode.DEADLINE_PASSED, ""


def _what_was_done(run: Run) -> Iterator[str]:
    """Every done step before the pivot is undone exactly once, in reverse order; nothing after the pivot is undone."""
    effects, definition = run.ledger.effects, run.definition
    completed = run.state.status is SagaStatus.COMPLETED
    for node in set(effects):
        if effects.count(node) > 1:
            yield f"{node} was done {effects.count(node)} times"
    for spec, step in zip(definition.steps, run.state.steps, strict=True):
        done = run.ledger.is_done(spec.name)
        if done is not (completed != (spec.kind is StepKind.CLOSING)):
            yield f"{spec.name} is {'done' if done else 'not done'}, and the saga {run.state.status} ({step.status})"
        if spec.kind is not StepKind.COMPENSABLE and Node(spec.name, undo=True) in effects:
            yield f"{spec.name} was undone, and has no undo"
        allowed = PASSED if done else ABSENT | {StepStatus.PENDING}
        if step.status not in allowed:
            yield f"{spec.name} is {step.status}, and {'done' if done else 'not done'}"
    if completed and any(each.undo for each in effects):
        yield "a completed saga undid something"
    undone = [_group(run, each.step) for each in effects if each.undo]
    if undone != sorted(undone, reverse=True):
        yield f"undone in the order {', '.join(each.step for each in effects if each.undo)}"


def _order_of_sending(run: Run) -> Iterator[str]:
    """A stage is begun when those before it have passed; undone when those after it are; the closing step comes last."""
    for applied in run.applied:
        state = applied.state
        for effect in applied.effects:
            if isinstance(effect, SendCommand) and effect.attempt == 1:
                yield from _sent_in_turn(run, state, effect)


def _sent_in_turn(run: Run, state: SagaState, effect: SendCommand) -> Iterator[str]:
    own = _group(run, effect.step)
    spec = next(step for step in run.definition.steps if step.name == effect.step)
    for index, step in enumerate(state.steps):
        other = run.definition.steps[index]
        if other.kind is StepKind.CLOSING or other is spec:
            continue
        group = run.definition.group_of[index]
        to_undo = other.undo and step.status in _TO_UNDO
        if spec.kind is StepKind.CLOSING:
            too_early = to_undo
        elif effect.undo:
            too_early = to_undo and group > own
        else:
            too_early = group < own and step.status not in PASSED
        if too_early:
            yield f"{Node(effect.step, effect.undo)} was sent while {other.name} was {step.status}"
    if not effect.undo and spec.kind is not StepKind.CLOSING and state.status is SagaStatus.COMPENSATING:
        yield f"{spec.name} was sent while the saga was being undone"


def _sends(run: Run) -> Iterator[str]:
    """Nothing is asked for without a need; what is given up, not more often than its policy says."""
    sends = Counter(Node(command.step, command.undo) for command in run.sent)
    again = any(fault.how in {How.LATE, How.CROSSING} for fault in run.scenario.faults)
    again = again or Repeat.REPLIES in run.scenario.repeats  # what came late is undone again
    for node, step, spec in nodes_of(run.definition) if run.scenario.interrupt is None else ():
        if step.kind is StepKind.COMPENSABLE and not node.undo and sends[node] > spec.retry.attempts_max:
            yield f"{node} was asked for {sends[node]} times, at most {spec.retry.attempts_max}"
        if not (node.undo and again):
            needed = sends[node] - run.failed_sends(node)
            if needed not in {0, 1}:
                yield f"{node} was asked for {sends[node]} times, and failed {run.failed_sends(node)} times"
        given_up = run.state.failure and (run.state.failure.code, run.state.failure.step) == (
            FailureCode.TIMED_OUT,
            node.step,
        )
        if given_up and not node.undo and sends[node] != spec.retry.attempts_max:
            yield f"{node} was given up after {sends[node]} attempts, not {spec.retry.attempts_max}"


def _wake_ups(run: Run) -> Iterator[str]:
    for applied in run.applied:
        state = applied.state
        if state.status.is_terminal is not (state.next_wake_at is None):
            yield f"SAGA-2: at seq {state.seq} it is {state.status}, and its wake-up is {state.next_wake_at}"
        due = [state.paused_until] if state.paused_until else [s.wake_at for s in state.steps if s.status.is_in_flight]
        for moment in due:
            if moment is None or state.next_wake_at is None or state.next_wake_at > moment:
                yield f"SAGA-3: at seq {state.seq} it sleeps until {state.next_wake_at}, and {moment} is due"


def _milestones(run: Run) -> Iterator[str]:
    reached = [effect.milestone for each in run.applied for effect in each.effects if isinstance(effect, Reached)]
    if reached.count(Milestone.STARTED) != 1 or reached[0] is not Milestone.STARTED:
        yield "it is told that it started otherwise than once and first"
    if reached.count(Milestone.COMPENSATING) != int(run.state.status is SagaStatus.FAILED):
        yield f"it began to be undone {reached.count(Milestone.COMPENSATING)} times, and is {run.state.status}"
    if reached[-1] is not Milestone.ENDED:
        yield f"what is told of it last is {reached[-1]}"
    calls = reached.count(Milestone.NEEDS_OPERATOR)
    if run.scenario.interrupt is None and calls != run.scenario.operator_calls:
        yield f"an operator was called {calls} times, not {run.scenario.operator_calls}"


def _replay(run: Run) -> Iterator[str]:
    """SAGA-5: one entry per seq; read back from JSON, they lead to the same commands and the same end."""
    if [each.state.seq for each in run.applied] != list(range(1, len(run.applied) + 1)):
        yield "SAGA-5: its transitions are not counted one by one"
    row = row_of(run.state)
    entries = []
    for each in run.applied:
        entry = orjson.loads(entry_json(each))
        event = input_of(each.event.kind, each.event.at, entry, row)
        if event != each.event:
            yield f"{each.event.kind} is another input when it is read back"
        entries.append(HistoryEntry(seq=each.state.seq, event=event, sent=sent_of(entry)))
    yield from replay_history(run.definition, entries, run.state, sent_by=sent_by)


def _group(run: Run, name: str) -> int:
    """The stage of a step; the closing one comes after all."""
    index = next(number for number, step in enumerate(run.definition.steps) if step.name == name)
    return run.definition.group_of.get(index, len(run.definition.groups))
