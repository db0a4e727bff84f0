"""A definition that could get stuck or be half undone cannot be written (SAGA-1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.definition import CommandSpec, RetryPolicy, SagaDefinition, Stage, Step, StepKind
from orchestrator.sagas import REGISTRY

ASK = CommandSpec(build=lambda _saga: object(), timeout_s=1, retry=RetryPolicy(attempts_max=1))
COMPENSABLE = Step(name="a", kind=StepKind.COMPENSABLE, do=ASK, undo=ASK)
PIVOT = Step(name="p", kind=StepKind.PIVOT, do=ASK)
RETRIABLE = Step(name="r", kind=StepKind.RETRIABLE, do=ASK)


def saga(*stages: Stage, closing: Step | None = None) -> SagaDefinition:
    return SagaDefinition(
        saga_type="t", version=1, deadline_s=1, stages=stages, closing=closing, decode=lambda data: data
    )


@pytest.mark.parametrize(
    "stages",
    [
        (COMPENSABLE, COMPENSABLE),
        (replace(COMPENSABLE, undo=None), PIVOT),
        (PIVOT, COMPENSABLE),
        (RETRIABLE, PIVOT),
        (PIVOT, replace(PIVOT, name="q")),
        (COMPENSABLE, (PIVOT, RETRIABLE)),
        (COMPENSABLE, PIVOT, replace(RETRIABLE, undo=ASK)),
        (replace(COMPENSABLE, do=replace(ASK, skippable=True)), PIVOT),
        (COMPENSABLE, replace(PIVOT, do=replace(ASK, skippable=True))),
    ],
    ids=[
        "same name",
        "no undo",
        "undoable after pivot",
        "retriable before",
        "two pivots",
        "pivot in parallel",
        "undo",
        "skippable before the pivot",
        "skippable pivot",
    ],
)
def test_is_refused(stages: tuple[Stage, ...]) -> None:
    with pytest.raises(ValueError, match="t: "):
        saga(*stages)


def test_a_closing_step_is_of_kind_closing() -> None:
    with pytest.raises(ValueError, match="closing"):
        saga(COMPENSABLE, closing=replace(PIVOT, name="c"))


def test_groups_and_positions() -> None:
    definition = REGISTRY.pinned("order_payment", 1)
    assert definition.groups == ((0,), (1,), (2,), (3,), (4, 5))
    assert definition.pivot_index == 2
    assert definition.closing_index == 6
    assert [step.name for step in definition.steps][-1] == "cancel_order"


def test_the_newest_order_payment_has_one_step_before_its_pivot_and_one_after() -> None:
    definition = REGISTRY.newest("order_payment")
    assert (definition.version, definition.pivot_index, definition.closing_index) == (2, 1, 3)
    assert [step.name for step in definition.steps] == ["pay_order", "complete_order", "settle_payment", "cancel_order"]


def test_pauses_grow_within_bounds_and_repeat() -> None:
    policy = RetryPolicy(attempts_max=5, first_pause_s=1, longest_pause_s=6, jitter=0.2, stuck_pause_s=100)
    seed = __import__("uuid").UUID(int=7)
    pauses = [policy.pause_s(attempts, seed) for attempts in range(1, 7)]
    assert pauses == [policy.pause_s(attempts, seed) for attempts in range(1, 7)]
    for pause, base in zip(pauses, [1, 2, 4, 6, 100, 100], strict=True):
        assert 0.8 * base <= pause <= 1.2 * base
