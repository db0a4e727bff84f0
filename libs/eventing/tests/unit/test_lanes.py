"""Lanes: a key's lane never changes, shares cover all lanes."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from eventing.lanes import fair_share, lane_of, lock_class


def test_a_keys_lane_is_fixed_for_good():
    assert [lane_of(key, 8) for key in ("a", "b", "ผ้าไหม")] == [3, 1, 7]


def test_keys_spread_over_the_lanes():
    counts = [0] * 8
    for _ in range(8_000):
        counts[lane_of(str(uuid.uuid4()), 8)] += 1
    assert min(counts) > 800


@given(st.integers(1, 64), st.integers(1, 80))
def test_fair_shares_cover_every_lane(lanes, relays):
    assert fair_share(lanes, relays) * relays >= lanes
    assert (fair_share(lanes, relays) - 1) * relays < lanes


def test_lock_classes_are_signed_32_bit_and_differ():
    names = [f"service_{number}" for number in range(200)]
    classes = {lock_class(name) for name in names}
    assert len(classes) == len(names)
    assert all(-(2**31) <= number < 2**31 for number in classes)
