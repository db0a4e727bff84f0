"""What a word may be a form of: English endings, Indonesian and Malay affixes.

Nobody says which language a message is in, so all rules are tried, and a word has a few candidates, itself among them.
Two words are forms of one when they share a candidate. Invariant: candidates have at least ``ROOT_MIN`` letters.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import Stemmer

ROOT_MIN: Final = 4
_ENGLISH: Final = Stemmer.Stemmer("english")
_ENDINGS: Final = ("nya", "lah", "kah", "pun", "ku", "mu")
_SUFFIXES: Final = ("kan", "an", "i")
# A prefix and the letters it may have swallowed: me+kirim is mengirim, me+pesan is memesan.
_PREFIXES: Final = (
    ("meny", ("s",)),
    ("peny", ("s",)),
    ("meng", ("", "k")),
    ("peng", ("", "k")),
    ("mem", ("", "p")),
    ("pem", ("", "p")),
    ("men", ("", "t")),
    ("pen", ("", "t")),
    ("ber", ("",)),
    ("ter", ("",)),
    ("per", ("",)),
    ("me", ("",)),
    ("di", ("",)),
    ("ke", ("",)),
    ("se", ("",)),
    ("pe", ("",)),
)


@lru_cache(maxsize=20_000)
def candidates(word: str) -> frozenset[str]:
    """The word and what it may be a form of; only for Latin letters."""
    if not (word.isascii() and word.isalpha()) or len(word) < ROOT_MIN:
        return frozenset((word,))
    found = {word, *_malay(word)}
    stem = _ENGLISH.stemWord(word)
    if len(stem) >= ROOT_MIN:
        found.add(stem)
    return frozenset(found)


def _malay(word: str) -> set[str]:
    bare = _without_ending(word)
    found = {bare, *_prefixless(bare)}
    for suffix in _SUFFIXES:
        if bare.endswith(suffix) and len(bare) - len(suffix) >= ROOT_MIN:
            stem = bare.removesuffix(suffix)
            found |= {stem, *_prefixless(stem)}
    return found


def _without_ending(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= ROOT_MIN:
            return word.removesuffix(ending)
    return word


def _prefixless(word: str) -> set[str]:
    for prefix, swallowed in _PREFIXES:
        if word.startswith(prefix):
            rest = word.removeprefix(prefix)
            return {letter + rest for letter in swallowed if len(letter + rest) >= ROOT_MIN}
    return set()
