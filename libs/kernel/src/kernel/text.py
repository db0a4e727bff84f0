"""What of a text can be seen.

Unicode has letters that show nothing (Hangul fillers, the blank of Braille) beside spaces, marks and characters that
programs may leave out. A name made of them cannot be told apart, reported or left out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from kernel.thai import spelled

# Letters and symbols that are blank: Hangul fillers, Khmer inherent vowels, the Braille blank, a musical null, an
# object's stand-in, Egyptian blanks.
_BLANK_LETTERS: Final = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U00013441\U00013442\U00016fe4\U0001d159"
# The rest of Unicode's Default_Ignorable_Code_Point.
_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_blank: Final = re.compile(f"[{_BLANK_LETTERS}\\s]+")
_unseen: Final = re.compile(f"[{_BLANK_LETTERS}{_IGNORABLE}]")

_PRESENTATION: Final = re.compile("[\ufe0e\ufe0f]")


def single_spaced(text: str) -> str:
    """Without blanks around it and with single spaces inside; letters that are blank are spaces."""
    return _blank.sub(" ", text).strip(" ")


def seen(text: str) -> str:
    """What is left of a text without blank letters and characters that programs may leave out."""
    return _unseen.sub("", text)


def as_seen(text: str) -> str:
    """One spelling for texts that look the same: marks in any order, signs in parts, blanks, an emoji's two forms."""
    return single_spaced(unicodedata.normalize("NFC", _PRESENTATION.sub("", spelled(text))))


def shows_something(text: str) -> bool:
    """Whether a letter, digit, sign or picture can be seen; marks alone have nothing to stand on."""
    return any(unicodedata.category(character) not in _SHOW_NOTHING for character in seen(text))


_SHOW_NOTHING: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Mn", "Mc", "Me"})
