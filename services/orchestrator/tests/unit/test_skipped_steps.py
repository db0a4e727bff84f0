"""No operator's act ends a saga with something unsettled (SAGA-6, ENG-7): every step × every act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from kernel.errors import DomainError
from orchestrator.domain.effects import Ignored, Milestone, Reached, SendCommand
from orchestrator.domain.inputs import (
    Cancel,
    ForceCompensation,
    Input,
    Pause,
    Reply,
    Resume,
    RetryNow,
    SettleStep,
    SkipStep,
    TimerFired,
)
from orchestrator.domain.operator_acts import PastPivotError, SagaEndedError, StepNotSkippableError, StepNotSkippedError
from orchestrator.domain.state import FailureCode, command_id
from orchestrator_testing.participants import Participants
from orchestrator_testing.simulation import DEFINITION, Simulation

BEFORE_AND_PIVOT = ["reserve_stock", "authorize_payment", "confirm_order"]
AFTER_PIVOT = ["capture_payment", "settle_payment", "mark_order_paid"]
UNDOS = ["authorize_payment", "reserve_stock"]
SKIPPABLE = [*((step, False) for step in AFTER_PIVOT), *((step, True) for step in UNDOS), ("cancel_order", False)]
ENDS = {**dict.fromkeys(AFTER_PIVOT, "completed"), "cancel_order": "failed"}


def who(simulation: Simulation) -> dict[str, object]:
    return {"at": simulation.now, "actor": "ops-1", "reason": "test"}


def skip(simulation: Simulation, step: str) -> Input:
    return SkipStep(**who(simulation), step=step, open_task=True)  # type: ignore[arg-type]


def settle(simulation: Simulation, step: str) -> Input:
    return SettleStep(**who(simulation), step=step, reference="ledger entry 17")  # type: ignore[arg-type]


def acts(step: str) -> dict[str, Callable[[Simulation], Input]]:
    """All that a person, the business or the clock may do to a saga, but what settles the step."""
    return {
        "skip": lambda s: skip(s, step),
        "force compensation": lambda s: ForceCompensation(**who(s)),  # type: ignore[arg-type]
        "pause": lambda s: Pause(**who(s), until=s.now + timedelta(seconds=5)),  # type: ignore[arg-type]
        "settle another": lambda s: settle(s, "reserve_stock" if step != "reserve_stock" else "authorize_payment"),
        "cancel": lambda s: Cancel(at=s.now, code="buyer"),
        "timer": lambda s: TimerFired(at=s.now),
        "a day": lambda s: TimerFired(at=s.now + timedelta(days=1)),
    }


def at_step(step: str, *, undo: bool) -> tuple[Simulation, SendCommand]:
    """A saga whose participant never hears the step's command, and the command."""
    lost: list[SendCommand] = []

    def eats(command: SendCommand) -> bool:
        if command.step == step and command.undo is undo:
            lost.append(command)
            return True
        return False

    simulation = Simulation(eats_command=eats)
    if undo or step == "cancel_order":
        refused = lambda body, _: "test.refused" if type(body).__name__ == "ConfirmOrder" else None  # noqa: E731
        simulation.participants = Participants(refuse=refused)
    simulation.begin()
    while not lost:
        deliver(simulation)
    while simulation.commands or simulation.replies:
        deliver(simulation)
    return simulation, lost[0]


def deliver(simulation: Simulation) -> None:
    if simulation.commands:
        simulation.deliver_command()
    else:
        simulation.deliver_reply()


@pytest.mark.parametrize(("step", "undo"), SKIPPABLE)
@pytest.mark.parametrize("act", ["skip", "force compensation", "pause", "settle another", "cancel", "timer", "a day"])
def test_a_skipped_step_keeps_the_saga_open_whatever_else_is_done(step: str, act: str, *, undo: bool) -> None:
    simulation, _ = at_step(step, undo=undo)
    simulation.give(skip(simulation, step))
    assert simulation.current.needs_operator
    before = len(simulation.commands)
    try:
        simulation.give(acts(step)[act](simulation))
    except DomainError:
        assert act in {"skip", "force compensation", "settle another"}
    for _ in range(50):
        simulation.wake()
        while simulation.commands[before:] or simulation.replies:
            deliver(simulation)
    assert not simulation.current.status.is_terminal
    assert simulation.current.next_wake_at is not None


@pytest.mark.parametrize(("step", "undo"), SKIPPABLE)
def test_it_is_not_asked_for_and_nothing_after_it_is(step: str, *, undo: bool) -> None:
    simulation, _ = at_step(step, undo=undo)
    simulation.give(skip(simulation, step))
    assert simulation.status_of(step) == ("undo_unsettled" if undo else "unsettled")
    assert simulation.milestones()[-1] is Milestone.NEEDS_OPERATOR
    seq, sent = simulation.current.seq, len(simulation.effects)
    for _ in range(20):
        simulation.wake()
    assert simulation.current.seq == seq
    assert not [each for each in simulation.effects[sent:] if isinstance(each, SendCommand)]


@pytest.mark.parametrize(("step", "undo"), SKIPPABLE)
def test_what_was_done_by_hand_ends_it_by_a_named_act(step: str, *, undo: bool) -> None:
    simulation, command = at_step(step, undo=undo)
    simulation.give(skip(simulation, step))
    simulation.participants.handle(command.body, uuid4())  # somebody does it, beside the saga
    simulation.give(settle(simulation, step))
    assert simulation.status_of(step) == ("undo_by_hand" if undo else "by_hand")
    simulation.settle()
    assert simulation.current.status == ENDS.get(step if not undo else "cancel_order")
    assert not simulation.current.needs_operator
    simulation.check_end()
    with pytest.raises(SagaEndedError):
        simulation.give(settle(simulation, step))


@pytest.mark.parametrize(("step", "undo"), SKIPPABLE)
@pytest.mark.parametrize("act", [RetryNow, Resume])
def test_who_thinks_better_of_it_asks_again(step: str, act: type[RetryNow | Resume], *, undo: bool) -> None:
    simulation, _ = at_step(step, undo=undo)
    simulation.give(skip(simulation, step))
    simulation.eats_command = lambda _command: False
    simulation.give(act(**who(simulation)))  # type: ignore[arg-type]
    assert not simulation.current.needs_operator
    simulation.settle()
    assert simulation.current.status == ENDS.get(step if not undo else "cancel_order")
    simulation.check_end()


@pytest.mark.parametrize(("step", "undo"), SKIPPABLE)
def test_a_late_success_of_the_participant_settles_it(step: str, *, undo: bool) -> None:
    simulation, command = at_step(step, undo=undo)
    simulation.give(skip(simulation, step))
    answer = simulation.participants.handle(command.body, command.command_id)
    simulation.replies.append((command.command_id, answer))
    simulation.deliver_reply()
    assert simulation.status_of(step) == ("undone" if undo else "done")
    simulation.settle()
    assert simulation.current.status == ENDS.get(step if not undo else "cancel_order")
    simulation.check_end()


@pytest.mark.parametrize(("step", "undo"), SKIPPABLE)
def test_a_late_refusal_of_the_participant_settles_nothing(step: str, *, undo: bool) -> None:
    simulation, command = at_step(step, undo=undo)
    simulation.give(skip(simulation, step))
    reply = Reply(at=simulation.now, command_id=command.command_id, succeeded=False, code="test.refused")
    assert simulation.give(reply) == (Ignored(reason="skipped"),)
    assert simulation.status_of(step) == ("undo_unsettled" if undo else "unsettled")


def done_by_hand(step: str, *, undo: bool) -> tuple[Simulation, Reply]:
    """A saga in which a person did the step's work, and the participant's late success."""
    simulation, command = at_step(step, undo=undo)
    simulation.give(skip(simulation, step))
    simulation.participants.handle(command.body, uuid4())
    simulation.give(settle(simulation, step))
    return simulation, Reply(at=simulation.now, command_id=command.command_id, succeeded=True)


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(("step", "undo"), SKIPPABLE)
def test_a_late_success_of_what_was_done_by_hand_is_told_to_a_person_once(
    step: str, *, undo: bool, ended: bool
) -> None:
    simulation, late = done_by_hand(step, undo=undo)
    if ended:
        simulation.settle()
    before, sent = simulation.current, len(simulation.commands)
    refusal = replace(late, succeeded=False, code="test.refused")
    assert simulation.give(refusal) == (Ignored(reason="duplicate"),)
    told = Reached(milestone=Milestone.NEEDS_OPERATOR, step=step, reason=FailureCode.DONE_TWICE)
    assert simulation.give(late) == (told,)
    assert simulation.give(late) == (Ignored(reason="duplicate"),)
    assert simulation.status_of(step) == ("undo_done_twice" if undo else "done_twice")
    assert simulation.current.error_code == FailureCode.DONE_TWICE  # by which operators find it
    after = simulation.current
    assert (after.status, after.ended_at, after.seq) == (before.status, before.ended_at, before.seq + 1)
    assert len(simulation.commands) == sent
    if not ended:
        simulation.settle()
    assert simulation.current.status == ENDS.get(step if not undo else "cancel_order")
    assert not simulation.current.needs_operator  # SAGA-6: the audit keeps it, and not the saga
    simulation.give(settle(simulation, step))
    assert simulation.status_of(step) == ("undo_by_hand" if undo else "by_hand")
    assert simulation.current.status.is_terminal


@pytest.mark.parametrize(("step", "undo"), SKIPPABLE)
def test_a_late_success_of_what_was_skipped_before_there_were_tasks_settles_it(step: str, *, undo: bool) -> None:
    simulation, command = at_step(step, undo=undo)
    simulation.give(SkipStep(**who(simulation), step=step))  # type: ignore[arg-type]
    simulation.give(Reply(at=simulation.now, command_id=command.command_id, succeeded=True))
    assert simulation.status_of(step) == ("undone" if undo else "done")


@pytest.mark.parametrize("step", BEFORE_AND_PIVOT)
def test_what_can_be_undone_or_what_later_steps_rest_on_is_not_skipped(step: str) -> None:
    simulation, _ = at_step(step, undo=False)
    state = simulation.current
    with pytest.raises(StepNotSkippableError):
        simulation.give(skip(simulation, step))
    assert simulation.current is state


@pytest.mark.parametrize("step", [*BEFORE_AND_PIVOT, *AFTER_PIVOT, "no_such_step"])
def test_only_a_skipped_step_is_settled_by_hand(step: str) -> None:
    simulation, _ = at_step("capture_payment", undo=False)
    with pytest.raises(StepNotSkippedError):
        simulation.give(settle(simulation, step))


@pytest.mark.parametrize("step", ["confirm_order", *AFTER_PIVOT])
def test_past_the_pivot_nothing_is_undone_also_where_a_step_was_skipped(step: str) -> None:
    simulation, _ = at_step(step, undo=False)
    if step != "confirm_order":
        simulation.give(skip(simulation, step))
    with pytest.raises(PastPivotError):
        simulation.give(ForceCompensation(**who(simulation)))  # type: ignore[arg-type]


def test_a_success_that_comes_after_an_undo_by_hand_is_undone_again() -> None:
    simulation = Simulation(eats_command=lambda command: command.step == "reserve_stock")
    simulation.begin()
    while simulation.status_of("reserve_stock") != "undoing":
        simulation.commands.clear()
        simulation.wake()
    simulation.give(skip(simulation, "reserve_stock"))
    simulation.give(settle(simulation, "reserve_stock"))
    simulation.eats_command = lambda _command: False
    simulation.settle()
    late = command_id(simulation.current.saga_id, "reserve_stock", undo=False)
    effects = simulation.give(Reply(at=simulation.now, command_id=late, succeeded=True))
    assert [each.undo for each in effects if isinstance(each, SendCommand)] == [True]


@pytest.mark.parametrize(("step", "undo"), SKIPPABLE)
def test_negative_control_before_there_were_tasks_a_skip_ended_the_saga_unsettled(step: str, *, undo: bool) -> None:
    """What histories of then say is still replayed as it was; the audit finds such sagas, and a person settles them."""
    simulation, _ = at_step(step, undo=undo)
    simulation.give(SkipStep(**who(simulation), step=step))  # type: ignore[arg-type]
    if step == "capture_payment":  # what comes after it is refused for ever, and was skipped too
        simulation.commands.clear()
        for later in ("settle_payment", "mark_order_paid"):
            simulation.give(SkipStep(**who(simulation), step=later))  # type: ignore[arg-type]
    simulation.settle()
    assert simulation.current.status.is_terminal
    if (step, undo) == ("reserve_stock", True):
        simulation.check_end()  # CancelOrder gives the stock back all the same
    else:
        with pytest.raises(AssertionError):
            simulation.check_end()
    ended_at = simulation.current.ended_at
    simulation.give(settle(simulation, step))
    assert simulation.status_of(step) == ("undo_by_hand" if undo else "by_hand")
    assert simulation.current.ended_at == ended_at
    assert simulation.milestones().count(Milestone.ENDED) == 1


def test_which_steps_may_be_skipped_is_said_by_the_definition() -> None:
    said = {(step.name, False) for step in DEFINITION.steps if step.do.skippable}
    said |= {(step.name, True) for step in DEFINITION.steps if step.undo and step.undo.skippable}
    assert said == set(SKIPPABLE)
