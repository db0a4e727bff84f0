"""Text to words with their places, in scripts with and without spaces.

ICU's dictionaries cut every script; runs of Thai are cut a second time by longest match over a word list, because the
two disagree about compounds and both answers are searched. Invariant: a word's place is in the text as it was given,
in Unicode code points.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import nlpo3
from icu4py.breakers import WordBreaker

from words.folding import Places, is_thai, plain, spelled, toneless, unaccented

WORDS_MAX: Final = 2_000
_DICTIONARY: Final = "thai"
_RUNS: Final = re.compile(r"[\u0e00-\u0e4e](?:[\u0e00-\u0e4e\u200b-\u200f]*[\u0e00-\u0e4e])?|[^\u0e00-\u0e4e]+")


@dataclass(frozen=True, slots=True)
class Word:
    """``folded`` is what is looked for; ``plain`` keeps accents, to prefer those who typed them."""

    start: int
    end: int
    folded: str
    plain: str


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one script, ``right`` as it should be typed; ``places`` as ``folding.spelled`` gives them.

    Of Thai there is a second opinion, and ``bare``: all of it, without tones.
    """

    start: int
    end: int
    thai: bool
    words: tuple[Word, ...]
    right: str
    places: Places | None = None
    bare: str = ""
    by_dictionary: tuple[Word, ...] = ()

    def placed(self, start: int, end: int) -> tuple[int, int]:
        """Where ``right[start:end]`` is in the text as it was given."""
        first, last = (start, end) if self.places is None else (self.places[start], self.places[end])
        return self.start + first, self.start + last


def runs_of(text: str) -> list[Run]:
    """The text's runs in order, at most ``WORDS_MAX`` words of them."""
    runs: list[Run] = []
    count = 0
    for found in _RUNS.finditer(text):
        if found[0].isspace():
            continue
        run = _run(found[0], found.start())
        count += len(run.words)
        if count > WORDS_MAX:
            break
        if run.words:
            runs.append(run)
    return runs


def _run(text: str, start: int) -> Run:
    right, places = spelled(text)
    whole = Run(start, start + len(text), thai=is_thai(text), words=(), right=right, places=places)
    if not whole.thai:
        return replace(whole, words=_placed(WordBreaker(right, "en"), whole))
    return replace(
        whole,
        words=_placed(WordBreaker(right, "th"), whole),
        by_dictionary=_placed(nlpo3.segment(right, _thai_dictionary()), whole),
        bare=toneless(plain(right)),
    )


def _placed(pieces: Iterable[str], run: Run) -> tuple[Word, ...]:
    words = []
    at = 0
    for piece in pieces:
        end = at + len(piece)
        spelling = _spelling(piece)
        if spelling is not None:
            words.append(Word(*run.placed(at, end), *spelling))
        at = end
    return tuple(words)


@lru_cache(maxsize=50_000)
def _spelling(piece: str) -> tuple[str, str] | None:
    """Folded and plain; None for what is no word. People use the same words again and again."""
    if not any(each.isalnum() or each > _SYMBOLS for each in piece):
        return None
    typed = plain(piece)
    return (unaccented(typed), typed) if typed else None


_SYMBOLS: Final = "\U0001f000"  # emoji are looked for like words


@cache
def _thai_dictionary() -> str:
    """Loaded at the first Thai text: 0.15 s and 60 MB that a process without Thai does not pay."""
    package = importlib.util.find_spec("pythainlp")
    assert package is not None  # noqa: S101 -- a dependency of this package
    assert package.submodule_search_locations is not None  # noqa: S101 -- it is a package
    words = Path(package.submodule_search_locations[0]) / "corpus" / "words_th.txt"
    said, loaded = nlpo3.load_dict(str(words), _DICTIONARY)
    if not loaded:
        raise RuntimeError(said)
    return _DICTIONARY
