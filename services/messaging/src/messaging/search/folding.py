"""One spelling for what people spell in many ways.

Invariant: folding is the same for what is indexed and for what is asked, and folding twice changes nothing.
Vietnamese and other Latin accents go (``đ`` too); Thai vowels and tones stay, because they make other words, but their
order and the double ``เเ`` are made one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_THAI: Final = re.compile(r"[\u0e00-\u0e7f]")
_SARA_AM: Final = re.compile(r"\u0e4d([\u0e48-\u0e4b]?)\u0e32|([\u0e48-\u0e4b])\u0e4d\u0e32")
_TONES: Final = re.compile(r"[\u0e47-\u0e4e]")
_DRAWN_OUT: Final = re.compile(r"([^\W\d])\1{2,}")
_LETTERS: Final = str.maketrans({"đ": "d", "ð": "d", "ø": "o", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "’": "'"})


def plain(text: str) -> str:
    """Case, width, digits and drawn-out letters made one; accents are kept."""
    lowered = unicodedata.normalize("NFKC", text).casefold()
    if _THAI.search(lowered):
        lowered = _SARA_AM.sub(lambda found: f"{found[1] or found[2] or ''}\u0e33", lowered).replace("เเ", "แ")
    return _DRAWN_OUT.sub(r"\1", "".join(_digit(each) for each in lowered)).translate(_APOSTROPHES)


def folded(text: str) -> str:
    """``plain`` without accents: the spelling that is indexed."""
    base = plain(text)
    if base.isascii():
        return base
    apart = unicodedata.normalize("NFD", base)
    bare = "".join(each for each in apart if unicodedata.category(each) != "Mn" or _THAI.match(each))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def toneless(text: str) -> str:
    """Folded Thai without tone and silence marks, where most slips of the finger are."""
    return _TONES.sub("", text)


def is_thai(text: str) -> bool:
    return _THAI.search(text) is not None


def _digit(character: str) -> str:
    return str(unicodedata.digit(character)) if character.isdecimal() else character


_APOSTROPHES: Final = str.maketrans("", "", "'’")
