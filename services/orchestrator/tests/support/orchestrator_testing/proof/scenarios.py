"""What may happen to a saga of any definition: every node failed in every way, everything repeated, interrupted anywhere.

A node is what is asked of a participant: a step, or its undo. All scenarios are made from the definition alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from orchestrator.domain.definition import CommandSpec, SagaDefinition, Step, StepKind
from orchestrator.domain.state import SagaStatus

LASTING: Final = 1_000_000
REFUSED_CODE: Final = "proof.refused"


class Node(NamedTuple):
    """A step, or its undo."""

    step: str
    undo: bool = False

    def __str__(self) -> str:
        return f"undo of {self.step}" if self.undo else self.step


class How(StrEnum):
    """How a node fails."""

    REFUSED = "refused"
    LOST = "its command never arrives"
    UNANSWERED = "done, and its answers are lost"
    MALFORMED = "its answers cannot be read"
    LATE = "its answers come when the saga has ended, or an operator was called"
    CROSSING = "its answers come while it is being undone"


class Repeat(StrEnum):
    """What comes more than once, everywhere in the run."""

    COMMANDS = "every command twice"
    REPLIES = "every answer three times, and again when all is over, and answers to nobody"
    INPUTS = "every input is read again after it was committed"


class Interrupt(StrEnum):
    """What comes between two transitions."""

    CRASH = "a crash: before its commit, then before its offset and its relay's"
    CANCEL = "a cancel"
    DEADLINE = "the deadline"
    FORCE = "an operator undoes it"
    PAUSE = "a pause that is forgotten"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first ``times`` rounds (of a refusal) or attempts of a node fail."""

    node: Node
    how: How
    times: int = LASTING

    def __str__(self) -> str:
        return f"{self.node}: {self.how}" + (f", {self.times}×" if self.times < LASTING else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``ends`` is None where it depends on how long the definition waits."""

    ends: SagaStatus | None
    faults: Sequence[Fault] = ()
    repeats: frozenset[Repeat] = frozenset()
    interrupt: Interrupt | None = None
    after: int = 0  # transitions before the interruption
    skipped: Node | None = None  # an operator skips it, does it by hand and says so
    operator_calls: int = 0

    def __str__(self) -> str:
        parts = [*map(str, self.faults), *sorted(self.repeats)]
        if self.interrupt:
            parts.append(f"after transition {self.after} {self.interrupt}")
        if self.skipped:
            parts.append(f"{self.skipped} skipped")
        return "; ".join(parts) or "all goes well"


def scenarios_of(definition: SagaDefinition) -> Iterator[Scenario]:
    """Every one of them; interruptions are the caller's, who knows how many transitions a run has."""
    singles = [Scenario(ends=SagaStatus.COMPLETED), *_failed_nodes(definition)]
    for scenario in singles:
        yield scenario
        yield replace(scenario, repeats=frozenset(Repeat))
        if len(scenario.faults) <= 1:
            yield from (replace(scenario, repeats=frozenset({repeat})) for repeat in Repeat)
    yield from _skipped_nodes(definition)


def interrupted(scenario: Scenario, transitions: int) -> Iterator[Scenario]:
    """The scenario with each interruption between every two of its transitions."""
    for interrupt in Interrupt:
        for after in range(1, transitions + 1):
            yield replace(scenario, interrupt=interrupt, after=after)


def nodes_of(definition: SagaDefinition) -> Iterator[tuple[Node, Step, CommandSpec]]:
    for step in definition.steps:
        yield Node(step.name), step, step.do
        if step.undo:
            yield Node(step.name, undo=True), step, step.undo


def fits_before_deadline(definition: SagaDefinition, spec: CommandSpec, *, attempts: int) -> bool:
    """True when so many attempts of one step are given up before the saga's deadline. The last one waits longest."""
    policy = spec.retry
    last_s = policy.stuck_pause_s if attempts >= policy.attempts_max else policy.longest_pause_s
    pauses_s = (policy.longest_pause_s * (attempts - 1) + last_s) * (1 + policy.jitter)
    return attempts * spec.timeout_s + pauses_s < definition.deadline_s


def _failed_nodes(definition: SagaDefinition) -> Iterator[Scenario]:
    for node, step, spec in nodes_of(definition):
        for faults in _ways_to(definition, node, step):
            if node.undo or step.kind is StepKind.CLOSING:
                yield from _must_finish(node, spec, SagaStatus.FAILED, faults)
            elif step.kind is StepKind.COMPENSABLE:
                yield from _gives_up(definition, node, spec)
            elif step.kind is StepKind.PIVOT:
                yield Scenario(ends=SagaStatus.FAILED, faults=(Fault(node, How.REFUSED),))
                yield from _must_finish(node, spec, SagaStatus.COMPLETED, faults, refusable=False)
            else:
                yield from _must_finish(node, spec, SagaStatus.COMPLETED, faults)


def _gives_up(definition: SagaDefinition, node: Node, spec: CommandSpec) -> Iterator[Scenario]:
    """A step before the pivot: refused or silent for long, the saga is undone."""
    yield Scenario(ends=SagaStatus.FAILED, faults=(Fault(node, How.REFUSED),))
    patient = spec.retry.attempts_max > 1 and fits_before_deadline(definition, spec, attempts=2)
    for how in (How.LOST, How.UNANSWERED, How.MALFORMED):
        yield Scenario(ends=SagaStatus.COMPLETED if patient else None, faults=(Fault(node, how, 1),))
        yield Scenario(ends=SagaStatus.FAILED, faults=(Fault(node, how),))
    for how in (How.LATE, How.CROSSING):
        yield Scenario(ends=SagaStatus.FAILED, faults=(Fault(node, how),))


def _must_finish(
    node: Node, spec: CommandSpec, ends: SagaStatus, before: Sequence[Fault], *, refusable: bool = True
) -> Iterator[Scenario]:
    """Asked until it is done; past its attempts an operator is called, once."""
    hows = [How.LOST, How.UNANSWERED, How.MALFORMED, *([How.REFUSED] if refusable else [])]
    long = spec.retry.attempts_max + 2
    for how in hows:
        for times, calls in ((1, int(spec.retry.attempts_max == 1)), (long, 1)):
            yield Scenario(ends=ends, faults=(*before, Fault(node, how, times)), operator_calls=calls)
    yield Scenario(ends=ends, faults=(*before, Fault(node, How.LATE)), operator_calls=1)


def _skipped_nodes(definition: SagaDefinition) -> Iterator[Scenario]:
    """Every node, the ones that may not be skipped too: those are refused, and go on."""
    for node, step, spec in nodes_of(definition):
        backwards = node.undo or step.kind is StepKind.CLOSING
        for faults in _ways_to(definition, node, step):
            yield Scenario(
                ends=SagaStatus.FAILED if backwards else SagaStatus.COMPLETED,
                faults=(*faults, *([Fault(node, How.LOST)] if spec.skippable else [])),
                skipped=node,
                operator_calls=int(spec.skippable),
            )


def _ways_to(definition: SagaDefinition, node: Node, step: Step) -> Iterator[Sequence[Fault]]:
    """What has to go wrong for the node to be asked: for an undo, whatever may fail once its step was sent."""
    if not node.undo and step.kind is not StepKind.CLOSING:
        yield ()
        return
    index = definition.steps.index(step)
    first = definition.group_of[index] if node.undo else 0
    for other, spec in enumerate(definition.steps):
        if spec.kind in {StepKind.COMPENSABLE, StepKind.PIVOT} and definition.group_of[other] >= first:
            # A step that was refused has nothing to undo: its own undo is asked for when it stays silent.
            yield (Fault(Node(spec.name), How.UNANSWERED if other == index else How.REFUSED),)
