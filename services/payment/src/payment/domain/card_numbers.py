"""Whether a text that should be a provider's token holds a card's number, however it is written.

A number of 13 to 19 digits whose last one checks (Luhn) counts as a card's, also within more digits, behind a word, in
the digits of another script, and in groups divided by anything. Letters divide groups only where all groups are long or
what divides them is always the same: the few digits between the letters of a random token make no number.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

DIGITS_MIN: Final = 13
DIGITS_MAX: Final = 19
_GROUP_MIN: Final = 3
_DIGITS: Final = re.compile("[0-9]+")
_NO_LETTERS_BETWEEN: Final = re.compile("[0-9](?:[^a-zA-Z]*[0-9])*")


def holds_card_number(text: str) -> bool:
    """True for a card's number anywhere in it, and for a text of as many digits and nothing else that says a thing."""
    plain = "".join(_plain(character) for character in unicodedata.normalize("NFKC", text))
    runs = [re.sub("[^0-9]", "", run) for run in _NO_LETTERS_BETWEEN.findall(plain)]
    if not re.search("[a-zA-Z]", plain) and sum(map(len, runs)) >= DIGITS_MIN:
        return True
    return any(_has_number(run) for run in (*runs, _across_letters(plain)))


def _plain(character: str) -> str:
    """Digits of every script as ASCII, letters of every script as one letter, and the rest as it is."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    return "x" if character.isalpha() and not character.isascii() else character


def _across_letters(plain: str) -> str:
    """All digits, when the letters between them divide groups of one number; else none."""
    groups = _DIGITS.findall(plain)
    between = set(_DIGITS.split(plain)[1:-1])
    if groups and (len(between) == 1 or min(map(len, groups)) >= _GROUP_MIN):
        return "".join(groups)
    return ""


def _has_number(digits: str) -> bool:
    return any(
        _checks(digits[start : start + length])
        for start in range(len(digits) - DIGITS_MIN + 1)
        for length in range(DIGITS_MIN, min(DIGITS_MAX, len(digits) - start) + 1)
    )


def _checks(number: str) -> bool:
    """Luhn's sum. A row of zeros checks as well, and is nobody's number."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and number.strip("0") != ""
