"""One spelling for what people spell in many ways.

Invariant: folding is the same for what is indexed and for what is asked, and folding twice changes nothing.
Vietnamese and other Latin accents go (``đ`` too); Thai vowels and tones stay, because they make other words, but their
order and the double ``เเ`` are made one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_THAI: Final = re.compile(r"[\u0e00-\u0e4e]")
_THAI_ONLY: Final = re.compile(r"[\u0e00-\u0e7f]*\Z")
_ODD_THAI: Final = re.compile(r"\u0e4d[\u0e48-\u0e4b]?\u0e32|[\u0e48-\u0e4b]\u0e4d\u0e32|\u0e40\u0e40")
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


def spelled(thai: str) -> tuple[str, list[int] | None]:
    """Thai as it should be typed; and, when that changed it, where each character (and the end) was before."""
    if not _ODD_THAI.search(thai):
        return thai, None
    mended: list[str] = []
    places: list[int] = []
    at = 0
    for found in _ODD_THAI.finditer(thai):
        mended.append(thai[at : found.start()])
        places.extend(range(at, found.start()))
        tone = "".join(each for each in found[0] if "\u0e48" <= each <= "\u0e4b")
        right = "\u0e41" if found[0] == "\u0e40\u0e40" else f"{tone}\u0e33"
        mended.append(right)
        places.extend([found.start()] * len(right))
        at = found.end()
    mended.append(thai[at:])
    places.extend(range(at, len(thai) + 1))
    return "".join(mended), places


def toneless(text: str) -> str:
    """Thai without tone and silence marks, where most slips of the finger are."""
    return _TONES.sub("", text)


def is_thai(text: str) -> bool:
    return _THAI.search(text) is not None
