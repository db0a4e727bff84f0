"""Passwords attackers try first: zxcvbn's list of 30,000 from breaches, and what people of the six countries add.

Invariant: the answer never leaves the process; no password is sent anywhere to be checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Final

from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

_KEYBOARD_ROWS: Final = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb", "q1w2e3r4t5y6")
_ENDINGS: Final = (
    "", "1", "12", "123", "1234", "12345", "123456", "!", "!!", "@123", "@1234", "#1", "01", "07", "69", "88",
    "99", "111", "168", "555", "666", "777", "786", "888", "999",
    *(str(year) for year in range(1960, 2031)),
)  # fmt: skip


@cache
def common_passwords() -> frozenset[str]:
    """All of them, case-folded."""
    known = (password.casefold() for password in FREQUENCY_LISTS["passwords"])
    return frozenset(known) | frozenset(_decorated()) | frozenset(_walks())


def _decorated() -> Iterator[str]:
    # What is loved, prayed for and lived in around here, as typed on a Latin keyboard.
    words = files("auth.adapters").joinpath("data/common_words.txt").read_text(encoding="utf-8").split()
    for word, ending in product(words, _ENDINGS):
        yield word + ending
        yield ending + word


def _walks() -> Iterator[str]:
    """Runs along the keyboard, there and back, and twice."""
    for row in _KEYBOARD_ROWS:
        for start, end in product(range(len(row)), repeat=2):
            if end - start >= 3:
                run = row[start : end + 1]
                yield from (run, run[::-1], run + run, run + run[::-1])
