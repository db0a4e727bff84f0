"""Random orders of everything: money and stock are conserved, no effect happens twice, the saga ends."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.effects import SendCommand
from orchestrator.domain.inputs import (
    Cancel,
    Operated,
    Pause,
    Resume,
    RetryNow,
    SettleStep,
    SkipStep,
    Start,
    TimerFired,
)
from orchestrator.domain.operator_acts import SagaEndedError, StepNotSkippableError
from orchestrator.domain.state import StepState, StepStatus
from orchestrator.domain.transition import transition
from orchestrator_testing.participants import Participants
from orchestrator_testing.simulation import DEFINITION, DEFINITION_V2, Simulation

ACTIONS = st.sampled_from(
    [
        *["command"] * 6,
        *["reply"] * 6,
        "command twice",
        "reply twice",
        "command lost",
        "reply lost",
        "crash on reply",
        "short wait",
        "long wait",
        "early timer",
        "cancel",
        "retry now",
        "pause",
        "resume",
        "skip",
        "settle by hand",
    ]
)
STEPS = st.lists(st.tuples(ACTIONS, st.integers(0, 9)), max_size=70)
REFUSALS = st.dictionaries(st.integers(0, 12), st.booleans(), max_size=4)
WAYS = st.tuples(st.sampled_from([DEFINITION, DEFINITION_V2]), st.booleans())  # each on what either version placed
WORLDS = st.tuples(st.sampled_from([0, 1, 2, 100]), st.sampled_from([0, 24_999, 25_000, 10**6]))


def act(simulation: Simulation, action: str, number: int) -> None:  # noqa: C901, PLR0912
    commands, replies = simulation.commands, simulation.replies
    who = {"at": simulation.now, "actor": "ops", "reason": "test"}
    match action:
        case "command" if commands:
            simulation.deliver_command(number % len(commands))
        case "command twice" if commands:
            simulation.deliver_command(number % len(commands), keep=True)
        case "command lost" if commands:
            commands.pop(number % len(commands))
        case "reply" if replies:
            simulation.deliver_reply(number % len(replies))
        case "reply twice" if replies:
            simulation.deliver_reply(number % len(replies), keep=True)
        case "reply lost" if replies:
            replies.pop(number % len(replies))
        case "crash on reply" if replies:
            simulation.deliver_reply(number % len(replies), crash=True)
        case "short wait":
            simulation.pass_time(number / 3)
        case "long wait":
            simulation.pass_time(number * 10)
        case "early timer":
            simulation.give(TimerFired(at=simulation.now))
        case "cancel":
            simulation.give(Cancel(at=simulation.now, code="buyer"))
        case "retry now" if simulation.current.paused_until is None and not simulation.current.status.is_terminal:
            simulation.give(RetryNow(**who))  # type: ignore[arg-type]
        case "pause" if not simulation.current.status.is_terminal:
            simulation.give(Pause(**who, until=simulation.now + timedelta(seconds=30)))  # type: ignore[arg-type]
        case "resume" if simulation.current.paused_until is not None:
            simulation.give(Resume(**who))  # type: ignore[arg-type]
        case "skip":
            skip(simulation, number)
        case "settle by hand":
            settle_by_hand(simulation)


def skip(simulation: Simulation, number: int) -> None:
    """One of the steps in flight, where it may be skipped."""
    flying = [name for name, step in named_steps(simulation) if step.status.is_in_flight]
    if flying:
        who = {"at": simulation.now, "actor": "ops", "reason": "test"}
        with contextlib.suppress(StepNotSkippableError):
            simulation.give(SkipStep(**who, step=flying[number % len(flying)], open_task=True))  # type: ignore[arg-type]


def settle_by_hand(simulation: Simulation) -> None:
    """Somebody does what the skipped steps would have done, then says so. They see to it that it is done: no chance
    refuses it.
    """
    for name, step in named_steps(simulation):
        if step.status.is_unsettled:
            undo = step.status is StepStatus.UNDO_UNSETTLED
            sent = [e for e in simulation.effects if isinstance(e, SendCommand) and (e.step, e.undo) == (name, undo)]
            by_chance, simulation.participants.refuse = simulation.participants.refuse, lambda *_: None
            simulation.participants.handle(sent[-1].body, uuid4())
            simulation.participants.refuse = by_chance
            act = {"at": simulation.now, "actor": "ops", "reason": "test", "step": name, "reference": "by hand"}
            simulation.give(SettleStep(**act))  # type: ignore[arg-type]


def named_steps(simulation: Simulation) -> list[tuple[str, StepState]]:
    names = [step.name for step in simulation.definition.steps]
    return list(zip(names, simulation.current.steps, strict=True))


def random_refusals(refusals: dict[int, bool]) -> Participants:
    asked: dict[object, int] = {}

    def refuse(_body: object, command_id: object) -> str | None:
        number = asked.setdefault(command_id, len(asked))
        return "test.refused" if refusals.get(number) else None

    return Participants(refuse=refuse)


@given(way=WAYS, steps=STEPS, refusals=REFUSALS, world=WORLDS)
@settings(max_examples=800)
def test_conserved_and_finished_whatever_the_order(
    way: tuple[SagaDefinition, bool],
    steps: list[tuple[str, int]],
    refusals: dict[int, bool],
    world: tuple[int, int],
) -> None:
    definition, held = way
    simulation = Simulation(participants=random_refusals(refusals), definition=definition, held=held)
    simulation.participants.stock_available = simulation.participants.stock_initial = world[0]
    simulation.participants.wallet_minor = world[1]
    simulation.begin()
    for action, number in steps:
        act(simulation, action, number)
        assert simulation.participants.problems() == []
    while not simulation.current.status.is_terminal:
        settle_by_hand(simulation)
        simulation.settle(until_unsettled=True)
    simulation.check_end()
    replay(simulation)


def replay(simulation: Simulation) -> None:
    """The recorded inputs alone lead to the same state and the same commands."""
    state, effects = None, []
    for event in simulation.inputs:
        state, more = transition(simulation.definition, state, event)
        effects += more
    assert state == simulation.current
    assert [e for e in effects if isinstance(e, SendCommand)] == [
        e for e in simulation.effects if isinstance(e, SendCommand)
    ]


def test_the_model_notices_a_participant_without_tombstones() -> None:
    """Negative control: were an undone hold to be taken again, the end check would say so."""
    simulation = Simulation(eats_command=lambda c: c.step == "reserve_stock" and not c.undo)
    simulation.begin()
    late = simulation.commands[0]
    simulation.settle()
    simulation.participants.stock_tombstones.clear()
    simulation.participants.handle(late.body, late.command_id)
    assert simulation.participants.unfinished([], [simulation.current.business_key]) != []


def test_the_model_notices_money_that_is_taken_after_it_was_returned() -> None:
    """Negative control of version 2: a late PayOrder finds no tombstone."""
    simulation = Simulation(
        definition=DEFINITION_V2, held=True, eats_command=lambda c: c.step == "pay_order" and not c.undo
    )
    simulation.begin()
    late = simulation.commands[0]
    simulation.settle()
    simulation.check_end()
    simulation.participants.hold_tombstones.clear()
    simulation.participants.handle(late.body, late.command_id)
    assert simulation.participants.unfinished([], [simulation.current.business_key]) != []


def test_inputs_know_their_kind() -> None:
    assert issubclass(RetryNow, Operated)
    assert not issubclass(Start, Operated)
    assert issubclass(SagaEndedError, Exception)
