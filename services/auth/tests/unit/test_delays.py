"""Waiting after failures: longer, but never for good."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auth.domain.delays import DELAY_MAX_S, FREE_FAILURES, delay_s


def test_curve() -> None:
    waits = [delay_s(n) for n in range(14)]
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert FREE_FAILURES == 5


@given(st.integers(min_value=0, max_value=10**9))
def test_never_a_lockout_and_never_shorter(failures: int) -> None:
    assert delay_s(failures) <= delay_s(failures + 1) <= DELAY_MAX_S
