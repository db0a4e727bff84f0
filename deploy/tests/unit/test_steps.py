from __future__ import annotations

import threading

import pytest

from stack.steps import Step, run_steps


def test_a_step_waits_for_what_it_needs() -> None:
    done: list[str] = []
    steps = [
        Step(name="c", act=lambda: done.append("c"), needs=("a", "b")),
        Step(name="b", act=lambda: done.append("b"), needs=("a",)),
        Step(name="a", act=lambda: done.append("a")),
    ]
    run_steps(steps, at_once=4)
    assert done == ["a", "b", "c"]


def test_steps_that_need_nothing_run_together() -> None:
    meeting = threading.Barrier(2, timeout=5)
    run_steps([Step(name=name, act=lambda: meeting.wait() and None) for name in "ab"], at_once=2)


def test_after_a_failure_nothing_new_begins() -> None:
    done: list[str] = []

    def fail() -> None:
        raise RuntimeError("broken")

    steps = [
        Step(name="a", act=fail),
        Step(name="b", act=lambda: done.append("b"), needs=("a",)),
    ]
    with pytest.raises(RuntimeError, match="broken"):
        run_steps(steps, at_once=1)
    assert done == []


def test_steps_that_wait_for_each_other_are_refused() -> None:
    steps = [
        Step(name="a", act=lambda: None, needs=("b",)),
        Step(name="b", act=lambda: None, needs=("a",)),
    ]
    with pytest.raises(ValueError, match="never run: a, b"):
        run_steps(steps, at_once=2)
