"""Prove a saga: play every scenario of its definition, and say which does not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import Message

from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.state import SagaStatus
from orchestrator_testing.proof.checks import faults_of
from orchestrator_testing.proof.engine import Engine
from orchestrator_testing.proof.ledger import Model
from orchestrator_testing.proof.run import Run, Subject
from orchestrator_testing.proof.scenarios import LASTING, How, Node, Scenario, interrupted, nodes_of, scenarios_of

_ENOUGH: Final = 20  # sentences that say what is wrong


class SagaNotProvedError(AssertionError):
    """Its text names the scenarios, and what did not hold in each."""


@dataclass(slots=True)
class Proof:
    """What a proof covered."""

    scenarios: int = 0
    transitions: int = 0
    failed: set[Node] = field(default_factory=set)  # nodes that were failed
    undone: set[str] = field(default_factory=set)  # steps that were done and then undone
    ends: set[SagaStatus] = field(default_factory=set)
    found: list[str] = field(default_factory=list)  # what did not hold

    def conclude(self) -> None:
        """Raises ``SagaNotProvedError`` where something did not hold."""
        if self.found:
            raise SagaNotProvedError("\n".join(self.found))


def prove_saga(
    definition: SagaDefinition,
    payload: Message,
    *,
    business_key: str = "proof",
    participants: Callable[[], Model] | None = None,
    engine: Callable[[SagaDefinition], Engine] = Engine,
) -> Proof:
    """Raises ``SagaNotProvedError`` unless the saga that ``payload`` starts holds whatever happens.

    Each node (a step, an undo) is refused, lost, done without an answer, answered unreadably, answered late; commands,
    answers and inputs are repeated; crashes, cancels, the deadline, operators and pauses come between every two
    transitions; what may be skipped is skipped. Then: it has ended; each done step before the pivot is undone exactly
    once, in reverse order; nothing after the pivot is undone; its history replays to the same state.

    ``participants``: a fresh model of the real ones, for what only it can say of money and stock that is left.
    """
    subject = Subject(
        definition=definition, payload=payload, business_key=business_key, participants=participants, engine=engine
    )
    proof = Proof()
    for scenario in scenarios_of(definition):
        plain = _play(subject, scenario, proof)
        if _is_worth_interrupting(scenario):
            for each in interrupted(scenario, len(plain.applied)):
                _play(subject, each, proof)
    wanted = {node for node, _, _ in nodes_of(definition)}
    proof.found += [f"{node} was never failed" for node in sorted(wanted - proof.failed)]
    proof.found += [
        f"{node} had nothing to undo" for node in sorted(wanted) if node.undo and node.step not in proof.undone
    ]
    proof.conclude()
    return proof


def _is_worth_interrupting(scenario: Scenario) -> bool:
    """The run in which all goes well, and those in which one step alone undoes it all."""
    few = len(scenario.faults) <= 1 and not scenario.repeats and scenario.skipped is None
    return few and all(fault.how in {How.REFUSED, How.LOST} and fault.times == LASTING for fault in scenario.faults)


def _play(subject: Subject, scenario: Scenario, proof: Proof) -> Run:
    """Adds to ``proof`` what the scenario covered, and what did not hold."""
    run = Run(subject, scenario)
    run.play()
    proof.found += [f"{scenario}: {fault}" for fault in faults_of(run)]
    if len(proof.found) >= _ENOUGH:
        proof.conclude()
    proof.scenarios += 1
    proof.transitions += len(run.applied)
    proof.ends.add(run.state.status)
    sent = {Node(command.step, command.undo) for command in run.sent}
    proof.failed |= {fault.node for fault in scenario.faults} & sent
    proof.undone |= {node.step for node in run.ledger.effects if node.undo}
    return run
