"""What looks the same is the same, in Thai and Lao."""

from __future__ import annotations

import unicodedata
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.thai import corrections, spelled

THAI = st.text(alphabet=[chr(code) for code in range(0x0E01, 0x0E5C)], max_size=12)
LAO = st.text(alphabet=[chr(code) for code in range(0x0E81, 0x0EE0) if unicodedata.name(chr(code), "")], max_size=12)


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("น\u0e4d\u0e49\u0e32", "น\u0e49\u0e33"),  # ring, tone, AA
        ("น\u0e49\u0e4d\u0e32", "น\u0e49\u0e33"),  # tone, ring, AA: what NFKD makes of AM
        ("น\u0e4d\u0e32\u0e49", "น\u0e49\u0e33"),  # the tone last
        ("น\u0e33\u0e49", "น\u0e49\u0e33"),
        ("ท\u0e4d\u0e32", "ท\u0e33"),
        ("\u0e40\u0e40กง", "\u0e41กง"),
        ("ก\u0e48\u0e34น", "ก\u0e34\u0e48น"),  # tone before the vowel above
        ("ผ\u0e49\u0e39", "ผ\u0e39\u0e49"),  # tone before the vowel below
        ("ศ\u0e31\u0e31กดิ\u0e4c\u0e4c", "ศ\u0e31กดิ\u0e4c"),  # typed twice, seen once
        ("สิทธ\u0e4c\u0e34", "สิทธ\u0e34\u0e4c"),
        ("ນ\u0ecd\u0ec9\u0eb2", "ນ\u0ec9\u0eb3"),
        ("\u0ec0\u0ec0ມ", "\u0ec1ມ"),
        ("ຄ\u0ec8\u0eb5", "ຄ\u0eb5\u0ec8"),
    ],
)
def test_it_is_spelled_as_it_looks(typed: str, right: str) -> None:
    assert spelled(typed) == right


@pytest.mark.parametrize(
    "right", ["น้ำปลา", "แกงเขียวหวาน", "ผู้ใหญ่", "ศักดิ์สิทธิ์", "ก๋วยเตี๋ยว", "ນ້ຳ", "ແມ່", "cà phê", "", "ป่าา"]
)
def test_what_is_right_stays(right: str) -> None:
    assert spelled(right) == right
    assert list(corrections(right)) == []


@pytest.mark.parametrize("marks", ["\u0e38\u0e4c", "\u0e34\u0e4c", "\u0e31\u0e49", "\u0e4d\u0e48\u0e34"])
def test_any_order_of_marks_is_one(marks: str) -> None:
    assert len({spelled("ก" + "".join(order)) for order in permutations(marks)}) == 1


def test_corrections_say_where() -> None:
    assert list(corrections("กข \u0e40\u0e40กง น\u0e4d\u0e32")) == [(3, 5, "\u0e41"), (9, 11, "\u0e33")]


@given(st.one_of(THAI, LAO, st.text(max_size=20)))
def test_twice_is_once(text: str) -> None:
    assert spelled(spelled(text)) == spelled(text)


@given(THAI, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_normal_forms_of_unicode_make_no_difference(text: str, form: str) -> None:
    assert spelled(unicodedata.normalize(form, text)) == spelled(text)
