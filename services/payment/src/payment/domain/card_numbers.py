"""Whether a text that should be a provider's token holds a card's number, however it is written.

A number of a card's length (13 to 19 digits) that begins as some issuer's do and whose last digit checks (Luhn) counts
as a card's, also within more digits, behind a word, in the digits of another script, and in groups divided by anything.
Letters divide groups only where all groups are long or what divides them is always the same: the few digits between the
letters of a random token make no number. A long word of hexadecimal digits is random, whatever digits are in it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

DIGITS_MIN: Final = 13
DIGITS_MAX: Final = 19
_GROUP_MIN: Final = 3
_ISSUED: Final = re.compile(  # ISO/IEC 7812: how each network's numbers begin, and how many digits they have
    "4[0-9]{12}(?:[0-9]{3}){0,2}|5[1-5][0-9]{14}|2(?:2[2-9]|[3-6][0-9]|7[01])[0-9]{13}|2720[0-9]{12}|220[0-4][0-9]{12,15}"
    "|3[47][0-9]{13}|3(?:0[0-5]|09|[689][0-9])[0-9]{11,16}|35[2-8][0-9]{13,16}"
    "|(?:50|5[6-9]|6[0-9])[0-9]{11,17}|9792[0-9]{12}"
)
_DIGITS: Final = re.compile("[0-9]+")
_RANDOM_WORD: Final = re.compile("(?<![0-9a-zA-Z])(?=[0-9]*[a-fA-F])[0-9a-fA-F]{24,}(?![0-9a-zA-Z])")
_NO_LETTERS_BETWEEN: Final = re.compile("[0-9](?:[^a-zA-Z]*[0-9])*")


def holds_card_number(text: str) -> bool:
    """True for a card's number anywhere in it, and for a text of as many digits and nothing else that says a thing."""
    plain = "".join(_plain(character) for character in unicodedata.normalize("NFKC", text))
    plain = _RANDOM_WORD.sub("x", plain)
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
    """Of an issuer's range, and Luhn's sum."""
    if not _ISSUED.fullmatch(number):
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
