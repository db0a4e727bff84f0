"""CC-1: consecutive seqs, none twice, whatever comes in which order."""

from hypothesis import given
from hypothesis import strategies as st

from chatclient.ordering import Ordering


def frame(seq):
    return {"seq": seq}


@given(st.integers(0, 20), st.lists(st.integers(1, 30), max_size=120))
def test_what_leaves_is_consecutive(position, arriving):
    ordering = Ordering(position)
    given_seqs = [each["seq"] for seq in arriving for each in ordering.take(frame(seq))]
    assert given_seqs == list(range(position + 1, position + 1 + len(given_seqs)))
    wanted, following = set(arriving), position + 1
    while following in wanted:
        following += 1
    assert len(given_seqs) == following - position - 1
    assert ordering.position == following - 1
    assert ordering.has_hole == any(seq >= following for seq in wanted)


def test_an_unknown_beginning_is_where_the_first_one_is():
    ordering = Ordering(None)
    assert ordering.take(frame(7)) == [frame(7)]
    assert ordering.take(frame(6)) == []
    assert ordering.take(frame(9)) == []
    assert ordering.take(frame(8)) == [frame(8), frame(9)]


def test_a_jump_forgets_what_lies_before_it():
    ordering = Ordering(3)
    ordering.take(frame(6))
    ordering.take(frame(12))
    ordering.jump(10)
    assert ordering.take(frame(6)) == []
    assert ordering.take(frame(11)) == [frame(11), frame(12)]
    assert not ordering.has_hole
