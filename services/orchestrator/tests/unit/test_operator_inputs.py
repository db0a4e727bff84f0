"""What a person may do to a saga, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.domain.effects import Milestone, SendCommand
from orchestrator.domain.inputs import ForceCompensation, Pause, Resume, RetryNow, SkipStep
from orchestrator.domain.operator_acts import (
    AlreadyCompensatingError,
    NotPausedOrStuckError,
    PastPivotError,
    SagaEndedError,
    SagaPausedError,
    StepNotInFlightError,
)
from orchestrator_testing.simulation import Simulation


def who(simulation: Simulation) -> dict[str, object]:
    return {"at": simulation.now, "actor": "ops-1", "reason": "test"}


def at_step(step: str, **how: object) -> Simulation:
    simulation = Simulation(**how)  # type: ignore[arg-type]
    simulation.begin()
    while simulation.status_of(step) == "pending":
        simulation.deliver_command()
        simulation.deliver_reply()
    return simulation


def stuck_in_capture() -> Simulation:
    simulation = at_step("capture_payment", eats_command=lambda c: c.step == "capture_payment")
    while not simulation.current.needs_operator:
        simulation.commands.clear()
        simulation.wake()
    simulation.commands.clear()
    return simulation


def test_retry_now_sends_again_with_the_same_id() -> None:
    simulation = at_step("authorize_payment")
    first = simulation.commands.pop()
    (again,) = (e for e in simulation.give(RetryNow(**who(simulation))) if isinstance(e, SendCommand))  # type: ignore[arg-type]
    assert again.command_id == first.command_id
    assert again.attempt == 1


@pytest.mark.parametrize("step", ["reserve_stock", "authorize_payment"])
def test_force_compensation_before_the_pivot(step: str) -> None:
    simulation = at_step(step)
    simulation.give(ForceCompensation(**who(simulation)))  # type: ignore[arg-type]
    with pytest.raises(AlreadyCompensatingError):
        simulation.give(ForceCompensation(**who(simulation)))  # type: ignore[arg-type]
    simulation.settle()
    assert simulation.current.status == "failed"
    simulation.check_end()


@pytest.mark.parametrize("step", ["confirm_order", "capture_payment", "settle_payment"])
def test_force_compensation_is_refused_once_the_pivot_was_sent(step: str) -> None:
    simulation = at_step(step)
    with pytest.raises(PastPivotError):
        simulation.give(ForceCompensation(**who(simulation)))  # type: ignore[arg-type]


def test_pause_takes_answers_in_and_sends_nothing_until_resumed() -> None:
    simulation = at_step("reserve_stock")
    simulation.give(Pause(**who(simulation), until=simulation.now + timedelta(hours=1)))  # type: ignore[arg-type]
    simulation.deliver_command()
    simulation.deliver_reply()
    assert simulation.status_of("reserve_stock") == "done"
    assert simulation.commands == []
    with pytest.raises(SagaPausedError):
        simulation.give(RetryNow(**who(simulation)))  # type: ignore[arg-type]
    simulation.give(Resume(**who(simulation)))  # type: ignore[arg-type]
    simulation.settle()
    assert simulation.current.status == "completed"
    simulation.check_end()


@pytest.mark.parametrize("step", ["reserve_stock", "confirm_order", "capture_payment"])
def test_a_forgotten_pause_ends_by_itself(step: str) -> None:
    simulation = at_step(step)
    until = simulation.now + timedelta(hours=1)
    simulation.give(Pause(**who(simulation), until=until))  # type: ignore[arg-type]
    simulation.commands.clear()
    assert simulation.current.next_wake_at is not None
    while simulation.current.next_wake_at < until:
        simulation.wake()
    simulation.settle()
    assert simulation.now >= until
    assert simulation.current.status == "completed"
    simulation.check_end()


def test_resume_gives_a_stuck_step_fresh_attempts() -> None:
    simulation = stuck_in_capture()
    assert simulation.milestones().count(Milestone.NEEDS_OPERATOR) == 1
    simulation.eats_command = lambda _command: False
    simulation.give(Resume(**who(simulation)))  # type: ignore[arg-type]
    assert not simulation.current.needs_operator
    simulation.settle()
    assert simulation.current.status == "completed"
    simulation.check_end()


def test_resume_of_a_saga_that_nothing_holds_is_refused() -> None:
    simulation = at_step("authorize_payment")
    with pytest.raises(NotPausedOrStuckError):
        simulation.give(Resume(**who(simulation)))  # type: ignore[arg-type]


@pytest.mark.parametrize("step", ["reserve_stock", "settle_payment", "no_such_step"])
def test_only_a_step_in_flight_can_be_skipped(step: str) -> None:
    simulation = at_step("authorize_payment")
    with pytest.raises(StepNotInFlightError):
        simulation.give(SkipStep(**who(simulation), step=step, open_task=True))  # type: ignore[arg-type]


def test_nothing_can_be_done_to_an_ended_saga() -> None:
    simulation = Simulation()
    simulation.begin()
    simulation.settle()
    for action in (RetryNow, ForceCompensation, Resume):
        with pytest.raises(SagaEndedError):
            simulation.give(action(**who(simulation)))


def test_an_operator_takes_the_saga_over() -> None:
    simulation = at_step("authorize_payment")
    epoch = simulation.current.epoch
    simulation.give(RetryNow(**who(simulation)))  # type: ignore[arg-type]
    assert simulation.current.epoch == epoch + 1
