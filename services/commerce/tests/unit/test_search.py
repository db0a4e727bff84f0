from __future__ import annotations

import pytest

from commerce.domain.search import TERMS_MAX, folded, parse_query, search_text, terms


def matches(query: str, *texts: str) -> bool:
    """What the two SQL conditions ask, in Python."""
    whole = search_text(texts)
    known = terms(whole)
    asked = parse_query(query)
    return (
        all(any(term.startswith(prefix) for term in known) for prefix in asked.prefixes)
        and all(pair in known for pair in asked.pairs)
        and all(run in whole for run in asked.runs)
    )


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("áo dài", "Áo dài lụa Hà Đông"),
        ("ao dai", "Áo dài lụa Hà Đông"),
        ("ha dong", "Áo dài lụa Hà Đông"),
        ("BAT", "Kemeja batik tulis"),
        ("batik kemeja", "Kemeja batik tulis"),
        ("ผ้าไหม", "ผ้าพันคอผ้าไหมทอมือ"),
        ("ไหม", "ผ้าพันคอผ้าไหมทอมือ"),
        ("ทอมือ silk", "ผ้าพันคอผ้าไหมทอมือ Hand-woven silk scarf"),
        ("น้ำ", "น้ำปลาแท้"),
        ("ก", "กระเป๋า"),
        ("絲", "絲巾"),
        ("500ml", "Coconut oil 500ml"),
        ("cafe", "Café sữa đá"),
        ("น\u0e4d\u0e49\u0e32", "น\u0e49\u0e33ปลาแท้"),
        ("น\u0e49\u0e33", "น\u0e4d\u0e49\u0e32ปลาแท้"),
        ("\u0e40\u0e40กง", "\u0e41กงเขียวหวาน"),
        ("ยำกุ้ง", "ต้ม\u200bยำ\u200bกุ้ง"),
        ("ต้ม\u200bยำ", "ต้มยำกุ้ง"),
        ("batik", "Ba\u00adtik"),
    ],
)
def test_finds(query: str, text: str) -> None:
    assert matches(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("atik", "Kemeja batik tulis"),
        ("ผ้าฝ้าย", "ผ้าพันคอผ้าไหมทอมือ"),
        ("ไหมผ้า", "ผ้าไหม"),
        ("batik sutra", "Kemeja batik tulis"),
    ],
)
def test_does_not_find(query: str, text: str) -> None:
    assert not matches(query, text)


@pytest.mark.parametrize("text", ["🍜", "!!!", "%", "--", "฿", "\u0e48\u0e34", "\u200b", "\ufeff", "´`", "_", " ", "ะ"])
def test_what_has_no_letter_or_digit_asks_for_nothing(text: str) -> None:
    assert parse_query(text).empty is not any(letter.isalnum() for letter in text)


def test_pairs_in_another_order_are_caught_by_the_run() -> None:
    asked = parse_query("กขคก")
    assert asked.pairs == ("กข", "ขค", "คก")
    assert asked.runs == ("กขคก",)


@pytest.mark.parametrize("text", ["'", "\\", "a'b:*", "!!", "' | 'x", "& | ! ( ) <-> :*", ""])
def test_nothing_typed_becomes_tsquery_syntax(text: str) -> None:
    asked = parse_query(text).as_tsquery()
    assert asked.replace("'a':*", "").replace("'b':*", "").replace("'x':*", "").strip(" &") == ""


def test_thai_vowels_survive_folding_and_latin_accents_do_not() -> None:
    assert folded("น้ำ Đường É") == folded("น้ำ") + " duong e"
    assert folded("กำ") == folded("กํา")


def test_terms_are_distinct_and_bounded() -> None:
    assert terms("a a b") == ["a", "b"]
    assert len(terms(" ".join(f"word{index}" for index in range(10_000)))) == TERMS_MAX
