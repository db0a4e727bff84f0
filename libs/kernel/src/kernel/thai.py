"""Thai and Lao as they should be typed, whatever order or signs they were typed in.

A keyboard takes vowel and tone marks in any order, and several signs look the same on the screen: the ring with a
plain vowel for AM, two letters E for AE, a mark typed twice. Unicode's normal forms leave all of that as it is.

Invariant: texts that look the same come out the same, and ``spelled`` twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class _Script(NamedTuple):
    """The letters of one script that the rules speak of; ``rank`` is a mark's place after its consonant."""

    letter_aa: str
    letter_am: str
    ring: str
    letter_e: str
    letter_ae: str
    rank: dict[str, int]

    @property
    def pattern(self) -> str:
        """Everything that hangs on one consonant, and two letters E. AA belongs to it after a ring only."""
        marks = "".join(self.rank)
        tones = "".join(mark for mark, rank in self.rank.items() if rank == _TONE)
        ringed = f"(?<={self.ring}){self.letter_aa}|(?<={self.ring}[{tones}]){self.letter_aa}"
        return f"(?:[{marks}{self.letter_am}]|{ringed})+|{self.letter_e}{{2}}"

    def mended(self, found: str) -> str:
        if found[0] == self.letter_e:
            return self.letter_ae
        held = set(found)
        with_am = self.letter_am in held or self.letter_aa in held
        marks = held - {self.letter_am, self.letter_aa} - ({self.ring} if with_am else set())
        return "".join(sorted(marks, key=lambda mark: (self.rank[mark], mark))) + (self.letter_am if with_am else "")


class Correction(NamedTuple):
    """``right`` belongs where ``start`` to ``end`` stand."""

    start: int
    end: int
    right: str


_BELOW, _ABOVE, _RING, _TONE, _LAST = range(5)
_LAO_AFTER_THAI: Final = 0x80  # the Lao block repeats the Thai one


def _script(offset: int, below: str, above: str, last: str) -> _Script:
    def moved(letters: str) -> str:
        return "".join(chr(ord(letter) + offset) for letter in letters)

    ring = moved("\u0e4d")
    ranks = {_BELOW: below, _ABOVE: above, _RING: ring, _TONE: moved("\u0e48\u0e49\u0e4a\u0e4b"), _LAST: last}
    return _Script(
        letter_aa=moved("\u0e32"),
        letter_am=moved("\u0e33"),
        ring=ring,
        letter_e=moved("\u0e40"),
        letter_ae=moved("\u0e41"),
        rank={mark: rank for rank, marks in ranks.items() for mark in marks},
    )


_THAI: Final = _script(0, "\u0e38\u0e39\u0e3a", "\u0e31\u0e34\u0e35\u0e36\u0e37\u0e47", "\u0e4c\u0e4e")
_LAO: Final = _script(
    _LAO_AFTER_THAI, "\u0eb8\u0eb9\u0eba\u0ebc", "\u0eb1\u0eb4\u0eb5\u0eb6\u0eb7\u0ebb", "\u0ecc\u0ece"
)
_PLACES: Final = re.compile(f"(?P<thai>{_THAI.pattern})|{_LAO.pattern}")


def corrections(text: str) -> Iterator[Correction]:
    """Where the text is typed otherwise than it should be, in order."""
    if text.isascii():
        return
    for found in _PLACES.finditer(text):
        right = (_THAI if found["thai"] else _LAO).mended(found[0])
        if right != found[0]:
            yield Correction(found.start(), found.end(), right)


def spelled(text: str) -> str:
    """The text as it should be typed. All other scripts stay as they are."""
    parts: list[str] = []
    at = 0
    for start, end, right in corrections(text):
        parts += text[at:start], right
        at = end
    return "".join((*parts, text[at:])) if parts else text
