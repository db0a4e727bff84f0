"""A message as the terms it is found by.

``=`` a word form, ``#`` a piece of three letters, ``@`` who wrote it, ``!`` its type. Words of five letters and more
are also indexed in pieces with their edges marked, and Thai runs in pieces across words, without tones: that finds
parts of words, misspelt words, and Thai that is cut otherwise in the question than in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from messaging.search.adapters.segments import Run, runs_of
from messaging.search.domain.roots import candidates

PIECED_MIN: Final = 5
PIECED_MAX: Final = 32
TERMS_MAX: Final = 6_000
WORD, PIECE, SENDER, TYPE = "=", "#", "@", "!"
EDGE: Final = "\u2060"
_TEXT_FIELDS: Final = ("text", "question", "name")


def searchable_fields(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What of a message can be searched: the field's name and its text."""
    found = [(name, content[name]) for name in _TEXT_FIELDS if isinstance(content.get(name), str) and content[name]]
    options = content.get("options")
    if isinstance(options, list):
        found += [(f"options/{n}", each) for n, each in enumerate(options) if isinstance(each, str)]
    return found


def terms_of(content: Mapping[str, Any], sender_id: UUID | None, kind: str) -> set[str]:
    """Everything the message is found by, in the clear; only ``blind`` terms are stored."""
    terms = {TYPE + kind}
    if sender_id is not None:
        terms.add(sender_term(sender_id))
    for _, text in searchable_fields(content):
        for run in runs_of(text):
            terms |= run_terms(run)
            if len(terms) > TERMS_MAX:
                return terms
    return terms


def run_terms(run: Run) -> set[str]:
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


def sender_term(sender_id: UUID) -> str:
    return SENDER + str(sender_id)


def is_pieced(word: str) -> bool:
    return PIECED_MIN <= len(word) <= PIECED_MAX and any(each.isalpha() for each in word)


def edged(word: str) -> str:
    return f"{EDGE}{word}{EDGE}"


def pieces(text: str) -> Iterable[str]:
    """Three letters each, overlapping; nothing of a text that is shorter."""
    return (text[at : at + 3] for at in range(len(text) - 2))
