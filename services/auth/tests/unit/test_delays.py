"""Waiting after failures: longer, but never for good."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.domain.delays import (
    DELAY_MAX_S,
    ELSEWHERE,
    FREE_FAILURES,
    FREE_FAILURES_ELSEWHERE,
    counters,
    delay_s,
)
from auth.domain.place import Familiarity, Place

HOME, NEXT_DOOR, FAR = (
    Place("198.51.100.1/32", "198.51.100.0/24"),
    Place("198.51.100.2/32", "198.51.100.0/24"),
    Place("203.0.113.5/32", "203.0.113.0/24"),
)


def test_curve() -> None:
    waits = [delay_s(n) for n in range(14)]
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert FREE_FAILURES == 5


@pytest.mark.parametrize("known", [Familiarity.ADDRESS, Familiarity.NETWORK])
def test_where_an_account_is_known_no_stranger_counts(known: Familiarity) -> None:
    own = {each.name for each in counters(known, HOME)}
    for place in (HOME, NEXT_DOOR, FAR):
        assert own.isdisjoint(each.name for each in counters(Familiarity.NONE, place))
    assert own.isdisjoint(each.name for each in counters(known, FAR))


def test_unknown_places_count_for_themselves_and_together() -> None:
    one, other = counters(Familiarity.NONE, NEXT_DOOR), counters(Familiarity.NONE, FAR)
    assert one[0] != other[0]
    assert one[1] == other[1] == ELSEWHERE
    assert not ELSEWHERE.place


def test_one_address_never_uses_up_what_all_unknown_places_share() -> None:
    """In a quarter of an hour: the free ones, those of the growing waits, and one a minute from then on."""
    waits = [delay_s(failures) for failures in range(1, 100)]
    made, at_s = 1, 0
    while at_s + waits[made - 1] <= 15 * 60:
        at_s += waits[made - 1]
        made += 1
    assert made < FREE_FAILURES_ELSEWHERE / 1.9


@given(st.integers(min_value=0, max_value=10**9))
def test_never_a_lockout_and_never_shorter(failures: int) -> None:
    assert delay_s(failures) <= delay_s(failures + 1) <= DELAY_MAX_S
