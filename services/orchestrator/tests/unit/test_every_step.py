"""What order_payment does step by step, where more is said than that it holds: see test_saga_proofs for all else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.domain.effects import Ignored, Milestone, SendCommand, StepTimedOut
from orchestrator.domain.inputs import Cancel, Reply, TimerFired
from orchestrator.domain.state import command_id
from orchestrator_testing.participants import Participants
from orchestrator_testing.simulation import DEFINITION, Simulation

STEPS = [step.name for group in DEFINITION.groups for step in (DEFINITION.steps[i] for i in group)]
BEFORE_PIVOT = ["reserve_stock", "authorize_payment"]


def sent(simulation: Simulation) -> list[str]:
    return [
        f"{effect.step}:{'undo' if effect.undo else 'do'}"
        for effect in simulation.effects
        if isinstance(effect, SendCommand)
    ]


def refusing(step: str) -> Simulation:
    """A world in which one step is refused."""
    simulation = Simulation()

    def refuse(_body: object, asked: object) -> str | None:
        return "test.refused" if asked == command_id(simulation.current.saga_id, step, undo=False) else None

    simulation.participants = Participants(refuse=refuse)
    return simulation


def test_all_goes_well() -> None:
    simulation = Simulation()
    simulation.begin()
    simulation.settle()
    assert simulation.current.status == "completed"
    assert sent(simulation) == [f"{step}:do" for step in STEPS]
    assert simulation.milestones() == [Milestone.STARTED, Milestone.ENDED]
    assert simulation.current.ended_at is not None
    assert simulation.current.next_wake_at is None
    simulation.check_end()


def test_parallel_steps_are_sent_together_and_joined() -> None:
    simulation = Simulation()
    simulation.begin()
    while simulation.status_of("capture_payment") != "done":
        simulation.deliver_command()
        simulation.deliver_reply()
    assert [command.step for command in simulation.commands] == ["settle_payment", "mark_order_paid"]
    simulation.deliver_command(1)
    simulation.deliver_reply()
    assert simulation.current.status == "started"
    simulation.settle()
    assert simulation.current.status == "completed"


@pytest.mark.parametrize("step", [*BEFORE_PIVOT, "confirm_order"])
def test_a_refusal_up_to_the_pivot_undoes_what_was_done(step: str) -> None:
    simulation = refusing(step)
    simulation.begin()
    simulation.settle()
    assert simulation.current.status == "failed"
    assert simulation.current.failure is not None
    assert simulation.current.failure.code == "test.refused"
    assert simulation.current.failure.step == step
    before = STEPS[: STEPS.index(step)]
    assert sent(simulation) == [
        *(f"{name}:do" for name in [*before, step]),
        *(f"{name}:undo" for name in reversed(before)),
        "cancel_order:do",
    ]
    assert simulation.participants.cancelled == {simulation.current.business_key: "test.refused"}
    simulation.check_end()


@pytest.mark.parametrize("arrives", [True, False], ids=["reply lost", "command lost"])
@pytest.mark.parametrize("step", BEFORE_PIVOT)
def test_lasting_silence_before_the_pivot_is_unknown_and_undone(*, step: str, arrives: bool) -> None:
    simulation = Simulation(
        eats_command=lambda command: not arrives and command.step == step and not command.undo,
        copies_of_reply=lambda command: 0 if command.step == step and not command.undo else 1,
    )
    simulation.begin()
    simulation.settle()
    assert simulation.current.status == "failed"
    ids = [e.command_id for e in simulation.effects if isinstance(e, SendCommand) and e.step == step and not e.undo]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert simulation.status_of(step) == "undone"
    assert f"{step}:undo" in sent(simulation)
    simulation.check_end()


@pytest.mark.parametrize("step", BEFORE_PIVOT)
def test_a_success_that_comes_while_it_is_being_undone_is_covered_by_the_undo(step: str) -> None:
    late: list[SendCommand] = []

    def eats(command: SendCommand) -> bool:
        if command.step == step and not command.undo:
            late.append(command)
            return True
        return False

    simulation = Simulation(eats_command=eats)
    simulation.begin()
    while simulation.status_of(step) != "undoing":
        if simulation.commands:
            simulation.deliver_command()
        elif simulation.replies:
            simulation.deliver_reply()
        else:
            simulation.wake()
    simulation.eats_command = lambda _command: False
    answer = simulation.participants.handle(late[0].body, late[0].command_id)
    assert answer.succeeded
    seq = simulation.current.seq
    simulation.replies.insert(0, (late[0].command_id, answer))
    simulation.deliver_reply()
    assert simulation.current.seq == seq
    simulation.settle()
    assert simulation.current.status == "failed"
    simulation.check_end()


@pytest.mark.parametrize("step", BEFORE_PIVOT)
def test_a_success_after_the_saga_failed_reopens_it_and_is_undone_again(step: str) -> None:
    simulation = Simulation(eats_command=lambda command: command.step == step and not command.undo)
    simulation.begin()
    simulation.settle()
    assert simulation.current.status == "failed"
    late = command_id(simulation.current.saga_id, step, undo=False)
    effects = simulation.give(Reply(at=simulation.now, command_id=late, succeeded=True))
    again = next(effect for effect in effects if isinstance(effect, SendCommand))
    assert again.undo
    assert again.command_id == command_id(simulation.current.saga_id, step, undo=True, round_number=2)
    assert simulation.current.status == "compensating"
    simulation.settle()
    assert simulation.current.status == "failed"
    assert simulation.milestones()[-1] is Milestone.ENDED
    simulation.check_end()


@pytest.mark.parametrize("step", STEPS)
def test_a_cancel_undoes_before_the_pivot_and_is_ignored_from_it_on(step: str) -> None:
    simulation = Simulation()
    simulation.begin()
    while simulation.status_of(step) == "pending":
        simulation.deliver_command()
        simulation.deliver_reply()
    effects = simulation.give(Cancel(at=simulation.now, code="buyer"))
    simulation.settle()
    if step in BEFORE_PIVOT:
        assert simulation.current.status == "failed"
        assert simulation.participants.cancelled == {simulation.current.business_key: "buyer"}
    else:
        assert effects == (Ignored(reason="past_pivot"),)
        assert simulation.current.status == "completed"
    simulation.check_end()


def test_an_early_wake_up_sends_nothing_and_keeps_the_count() -> None:
    simulation = Simulation()
    simulation.begin()
    seq = simulation.current.seq
    for _ in range(3):
        simulation.give(TimerFired(at=simulation.now + timedelta(seconds=1)))
    assert simulation.current.seq == seq
    assert len(simulation.commands) == 1


def test_the_wake_up_is_kept_while_it_is_early_enough() -> None:
    simulation = Simulation()
    simulation.begin()
    first = simulation.current.next_wake_at
    simulation.now += timedelta(seconds=1)
    simulation.deliver_command()
    simulation.deliver_reply()
    assert simulation.current.next_wake_at == first
    simulation.now += timedelta(seconds=4)
    simulation.fire_timer()
    assert not [effect for effect in simulation.effects if isinstance(effect, StepTimedOut)]
    assert simulation.current.next_wake_at == first + timedelta(seconds=1)
