"""Waits after failures grow to a cap, are spread, and begin anew after a success."""

from itertools import pairwise

from kernel.backoff import Backoff, BackoffPolicy


def test_a_wait_grows_by_its_factor_up_to_the_cap():
    policy = BackoffPolicy(first_s=0.5, cap_s=6, factor=3)
    assert [policy.wait_s(failures) for failures in range(1, 6)] == [0.5, 1.5, 4.5, 6, 6]


def test_before_the_first_failure_it_is_the_first_wait():
    assert BackoffPolicy(first_s=0.5, cap_s=6).wait_s(0) == 0.5


def test_years_of_failures_overflow_nothing():
    assert BackoffPolicy(first_s=0.1, cap_s=30, factor=4).wait_s(10**9) == 30


def test_the_spread_bounds_what_is_waited():
    policy = BackoffPolicy(first_s=8, cap_s=100, spread=(0.5, 1.25))
    assert [policy.wait_s(1, chance) for chance in (0, 0.5, 1)] == [4, 7, 10]
    drawn = {policy.wait_s(1) for _ in range(100)}
    assert all(4 <= each <= 10 for each in drawn)
    assert len(drawn) > 90, "nobody waits in step"


def test_a_success_begins_anew():
    backoff = Backoff(BackoffPolicy(first_s=1, cap_s=5))
    waits = [backoff.next_s() for _ in range(5)]
    assert waits == [1, 2, 4, 5, 5]
    assert all(earlier <= later for earlier, later in pairwise(waits))
    backoff.reset()
    assert backoff.next_s() == 1
