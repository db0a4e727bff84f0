"""One spelling for what people spell in many ways.

Invariant: folding is the same for what is indexed and for what is asked.
Vietnamese and other Latin accents go (``đ`` too); Thai vowels and tones stay, because they make other words, but their
order and the double ``เเ`` are made one. Joiners and direction marks make no other word.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from kernel.thai import corrections

# Where each character of a changed text, and its end, was before.
Places = list[int]
_THAI: Final = re.compile(r"[\u0e00-\u0e4e]")
_THAI_ONLY: Final = re.compile(r"[\u0e00-\u0e7f]*\Z")
# Direction marks and joiners, but not those that hold an emoji together.
_JOINERS: Final = "[\u061c\u180e\u200c\u200e\u200f]|\u200d(?![\u2190-\u2bff\U0001f000-\U0001faff])"
_UNSEEN: Final = re.compile(_JOINERS)
_UNSEEN_IN_THAI: Final = re.compile(f"\u200b|{_JOINERS}")
_TONES: Final = re.compile(r"[\u0e47-\u0e4e]")
_DRAWN_OUT: Final = re.compile(r"([^\W\d_])\1{2,}")
_LETTERS: Final = str.maketrans({"đ": "d", "ð": "d", "ø": "o", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe"})
_ZEROES: Final = (0x0E50, 0x0ED0, 0x1040, 0x17E0, 0x0660, 0x0966)
_SIGNS: Final = {ord("'"): "", ord("’"): "", **{zero + n: str(n) for zero in _ZEROES for n in range(10)}}


def plain(text: str) -> str:
    """Case, width, digits and drawn-out letters made one, apostrophes left out; accents are kept."""
    if not text.isascii():
        text = text.translate(_SIGNS) if _THAI_ONLY.match(text) else unicodedata.normalize("NFKC", text)
    lowered = text.casefold().translate(_SIGNS)
    return _DRAWN_OUT.sub(r"\1", lowered)


def folded(text: str) -> str:
    """``plain`` without accents: the spelling that is indexed."""
    return unaccented(plain(text))


def unaccented(base: str) -> str:
    """What ``plain`` gave, without accents."""
    if base.isascii() or _THAI_ONLY.match(base):
        return base
    apart = unicodedata.normalize("NFD", base)
    bare = "".join(each for each in apart if unicodedata.category(each) != "Mn" or _THAI.match(each))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def spelled(text: str) -> tuple[str, Places | None]:
    """The text as it should be typed, without marks that do not show; and, when that changed it, its places.

    Between Thai letters a word break says nothing that the dictionaries do not know; elsewhere it ends a word.
    """
    right, places = _seen(text, _UNSEEN_IN_THAI if is_thai(text) else _UNSEEN)
    moved: list[int] = []
    parts: list[str] = []
    at = 0
    for start, end, letters in corrections(right):
        parts += right[at:start], letters
        moved += (*range(at, start), *[start] * len(letters))
        at = end
    if not parts:
        return right, places
    moved.extend(range(at, len(right) + 1))
    return "".join((*parts, right[at:])), moved if places is None else [places[each] for each in moved]


def _seen(text: str, unseen: re.Pattern[str]) -> tuple[str, Places | None]:
    gone = {found.start() for found in unseen.finditer(text)}
    if not gone:
        return text, None
    places = [at for at in range(len(text)) if at not in gone]
    return "".join(text[at] for at in places), [*places, len(text)]


def toneless(text: str) -> str:
    """Thai without tone and silence marks, where most slips of the finger are."""
    return _TONES.sub("", text)


def is_thai(text: str) -> bool:
    return _THAI.search(text) is not None
