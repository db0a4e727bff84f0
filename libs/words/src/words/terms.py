"""The terms that a text is found by.

``=`` a word form, ``#`` a piece of three letters. Words of five letters and more are also found in pieces with their
edges marked, and Thai runs in pieces across words, without tones: that finds parts of words, misspelt words, and Thai
that is cut otherwise in the question than in the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from words.roots import candidates
from words.segments import Run

PIECED_MIN: Final = 5
PIECED_MAX: Final = 32
WORD, PIECE = "=", "#"
EDGE: Final = "\u2060"


def run_terms(run: Run) -> set[str]:
    """Of one run of ``segments.runs_of``."""
    terms: set[str] = set()
    for word in (*run.words, *run.by_dictionary):
        terms.update(WORD + each for each in candidates(word.folded))
    if run.thai:
        terms.update(PIECE + each for each in pieces(run.bare))
    else:
        for word in run.words:
            if is_pieced(word.folded):
                terms.update(PIECE + each for each in pieces(edged(word.folded)))
    return terms


def is_pieced(word: str) -> bool:
    """Whether a word is also found by its pieces."""
    return PIECED_MIN <= len(word) <= PIECED_MAX and any(each.isalpha() for each in word)


def edged(word: str) -> str:
    """The word between the marks of its edges."""
    return f"{EDGE}{word}{EDGE}"


def pieces(text: str) -> Iterable[str]:
    """Three letters each, overlapping; nothing of a text that is shorter."""
    return (text[at : at + 3] for at in range(len(text) - 2))
