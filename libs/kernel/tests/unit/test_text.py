"""Names people really have show something; names of blanks, however they are put together, do not."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.text import as_seen, seen, shows_something, single_spaced

BLANKS = [
    *("\u3164", "\uffa0", "\u115f", "\u1160", "\u2800", "\u17b4", "\u17b5", "\ufffc", "\U0001d159", "\U00013441"),
    *("\u200b", "\u200c", "\u200d", "\u00ad", "\u034f", "\u061c", "\u180e", "\u2060", "\u2064", "\ufeff", "\ufe0f"),
    *("\U000e0020", "\U000e0100", "\U0001d173", "\ue000"),
    *(" ", "\u00a0", "\u2003", "\u3000", "\t", "\n"),
]
MARKS = ["\u0301", "\u20dd", "\u0e34", "\u093e", "\u302e"]


@pytest.mark.parametrize("blank", BLANKS)
def test_blanks_show_nothing_alone_in_numbers_and_under_a_mark(blank: str) -> None:
    assert not shows_something(blank * 3)
    for mark in MARKS:
        assert not shows_something(blank + mark)
        assert not shows_something(mark + blank + mark)


def test_no_mixture_of_two_blanks_shows_anything() -> None:
    for one, other in itertools.product(BLANKS, BLANKS):
        assert not shows_something(one + other + one)


@given(st.text(st.sampled_from(BLANKS + MARKS), max_size=20))
def test_no_mixture_of_any_blanks_and_marks_shows_anything(text: str) -> None:
    assert not shows_something(text)


@pytest.mark.parametrize(
    "name",
    ["Mai Linh", "김민수", "Kim \u3131\u3161", "\u1100\u1161", "ดี", "สมชาย ใจดี", "ស្រីមុំ", "မောင်", "ລາວ", "නිමල්",
     "ক্ষমা", "می‌خواهم", "李小龍", "\u2817\u280a", "🐶", "👩‍👩‍👧", "7-Eleven", "!", "𞤀𞤣"],
)  # fmt: skip
def test_real_names_show(name: str) -> None:
    assert shows_something(name)
    assert seen(name)


def test_control_python_takes_fillers_for_letters() -> None:
    """Why the rule is needed: by category and by ``isprintable`` they are letters like any."""
    assert "\u3164".isalpha()
    assert "\u3164".isprintable()
    assert "\u3164".strip() == "\u3164"


def test_blank_letters_are_spaces_to_a_name() -> None:
    assert single_spaced(" \u3164Mai\u2800\u3164 Linh\uffa0") == "Mai Linh"
    assert single_spaced("می\u200cخواهم") == "می\u200cخواهم"


@given(st.text(max_size=12))
def test_how_a_text_is_seen_is_one_spelling(text: str) -> None:
    assert as_seen(as_seen(text)) == as_seen(text)
