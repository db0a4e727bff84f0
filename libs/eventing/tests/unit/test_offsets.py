"""Offsets: only the finished prefix is ever committable."""

from hypothesis import given
from hypothesis import strategies as st

from eventing.offsets import Offsets


@given(st.permutations(range(12)), st.integers(0, 12))
def test_only_the_finished_prefix_is_committable(order, finished):
    offsets = Offsets()
    for number in range(12):
        offsets.take(100 + number)
    for number in order[:finished]:
        offsets.finish(100 + number)
    prefix = next((n for n in range(12) if n not in order[:finished]), 12)
    assert offsets.committable == (100 + prefix if prefix else None)
    assert offsets.unfinished == 12 - prefix


def test_what_was_committed_is_not_committed_again():
    offsets = Offsets()
    offsets.take(5)
    offsets.finish(5)
    assert offsets.committable == 6
    offsets.committed = 6
    assert offsets.committable is None
    offsets.take(9)  # compaction leaves gaps
    offsets.finish(9)
    assert offsets.committable == 10
