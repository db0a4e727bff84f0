"""A question as a condition on terms, and as a comparison with a message that was decrypted.

Two tiers: EXACT finds the words that were asked for and forms of them; SIMILAR finds parts of words and words one slip
away, and is asked when EXACT has no more. Every word of the question must be found, in any order. Invariant: whatever
the index offers, a message is an answer only if ``match`` says so on its text as it is now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Final
from uuid import UUID

from rapidfuzz.distance import OSA

from kernel.errors import DomainError, Kind
from messaging.search.domain.blind import BlindIndex, Stretch
from messaging.search.domain.terms import TYPE, sender_term
from words.roots import candidates
from words.segments import Run, Word, runs_of
from words.terms import EDGE, PIECE, PIECED_MIN, WORD, edged, is_pieced, pieces

PARTS_MAX: Final = 12
INSIDE_MIN: Final = 4
_PIECE_LETTERS: Final = 3
_MARKS: Final = "[\u0e47-\u0e4e]*"
Lexeme = Callable[[str], str]


class Tier(IntEnum):
    EXACT = 0
    SIMILAR = 1


@dataclass(frozen=True, slots=True, order=True)
class Highlight:
    """Where a message answers: Unicode code points of ``field``."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Condition:
    """A ``tsquery`` whose lexemes are filled in for each stretch."""

    template: str
    digests: tuple[int, ...]

    def at(self, stretch: Stretch) -> str:
        return self.template.format(*map(stretch.lexeme, self.digests))


@dataclass(frozen=True, slots=True)
class FieldText:
    """One text of a message, cut into words once."""

    name: str
    text: str
    runs: tuple[Run, ...]

    @classmethod
    def of(cls, name: str, text: str) -> FieldText:
        return cls(name, text, tuple(runs_of(text)))


@dataclass(frozen=True)
class SpacedPart:
    """One word of a script with spaces."""

    word: Word

    @cached_property
    def roots(self) -> frozenset[str]:
        return candidates(self.word.folded)

    @property
    def accented(self) -> bool:
        return self.word.plain != self.word.folded

    def condition(self, tier: Tier, lexeme: Lexeme) -> str:
        choices = [lexeme(WORD + each) for each in sorted(self.roots)]
        if tier is Tier.SIMILAR:
            choices += [_all(lexeme(PIECE + each) for each in some) for some in self._likely_pieces()]
        return _any(choices)

    def spans(self, tier: Tier, field_text: FieldText) -> list[tuple[int, int]]:
        words = (word for run in field_text.runs if not run.thai for word in run.words)
        similar = tier is Tier.SIMILAR
        return [(each.start, each.end) for each in words if self._is(each) or (similar and self._resembles(each))]

    def _is(self, word: Word) -> bool:
        if word.folded == self.word.folded:
            return not self.accented or word.plain in {self.word.plain, word.folded}
        return not self.accented and not self.roots.isdisjoint(candidates(word.folded))

    def _resembles(self, word: Word) -> bool:
        """Compared with its accents by who typed accents. Few letters are looked for at the beginning only."""
        asked, there = (self.word.plain, word.plain) if self.accented else (self.word.folded, word.folded)
        if not is_pieced(word.folded) or len(asked) < _PIECE_LETTERS:
            return False
        if there.startswith(asked) or (len(asked) >= INSIDE_MIN and asked in there):
            return True
        return is_pieced(self.word.folded) and OSA.distance(asked, there, score_cutoff=1) <= 1

    def _likely_pieces(self) -> list[tuple[str, ...]]:
        """The pieces of words that contain this one; then, for each place of a slip, those it leaves whole."""
        asked = self.word.folded
        inner = tuple(pieces(asked if len(asked) >= INSIDE_MIN else EDGE + asked))
        if len(asked) < _PIECE_LETTERS:
            return []
        likely = [inner]
        if is_pieced(asked):
            whole = tuple(pieces(edged(asked)))
            for slip in range(1, len(asked)):
                left = tuple(each for at, each in enumerate(whole) if at > slip + 1 or at + 2 < slip)
                if left:
                    likely.append(left)
        return likely


@dataclass(frozen=True)
class ThaiPart:
    """One run of Thai: found as ICU cuts it, or as the dictionary does, or in one stretch whatever the cuts."""

    by_icu: tuple[Word, ...]
    by_dictionary: tuple[Word, ...]
    bare: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(_MARKS.join(map(re.escape, self.bare)) + _MARKS)

    def condition(self, tier: Tier, lexeme: Lexeme) -> str:
        choices = [
            _all(lexeme(WORD + word.folded) for word in words) for words in (self.by_icu, self.by_dictionary) if words
        ]
        if tier is Tier.SIMILAR and len(self.bare) >= _PIECE_LETTERS:
            choices.append(_all(lexeme(PIECE + each) for each in pieces(self.bare)))
        return _any(dict.fromkeys(choices))

    def spans(self, tier: Tier, field_text: FieldText) -> list[tuple[int, int]]:
        runs = [run for run in field_text.runs if run.thai]
        for words in (self.by_icu, self.by_dictionary):
            wanted = {word.folded for word in words}
            there = [word for run in runs for word in (*run.words, *run.by_dictionary) if word.folded in wanted]
            if wanted and wanted == {word.folded for word in there}:
                return [(word.start, word.end) for word in there]
        if tier is Tier.SIMILAR and len(self.bare) >= _PIECE_LETTERS:
            return [run.placed(*found.span()) for run in runs for found in self._pattern.finditer(run.right)]
        return []


Part = SpacedPart | ThaiPart


@dataclass(frozen=True)
class Question:
    """What is looked for. ``sender_id`` and ``kind`` narrow it; without parts they are all that is asked."""

    parts: tuple[Part, ...] = ()
    sender_id: UUID | None = None
    kind: str | None = None
    _filters: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        filters = [sender_term(self.sender_id)] if self.sender_id is not None else []
        if self.kind is not None:
            filters.append(TYPE + self.kind)
        object.__setattr__(self, "_filters", tuple(filters))

    @classmethod
    def parse(cls, text: str, *, sender_id: UUID | None = None, kind: str | None = None) -> Question:
        """Words beyond ``PARTS_MAX`` are not asked for."""
        parts: list[Part] = []
        for run in runs_of(text):
            if run.thai:
                parts.append(ThaiPart(run.words, run.by_dictionary, run.bare))
            else:
                parts.extend(SpacedPart(word) for word in run.words)
        return cls(tuple(parts[:PARTS_MAX]), sender_id, kind)

    @property
    def empty(self) -> bool:
        return not self.parts and not self._filters

    def condition(self, tier: Tier, blind: BlindIndex) -> Condition:
        """What the index is asked."""
        places: dict[str, str] = {}

        def place(term: str) -> str:
            return places.setdefault(term, f"{{{len(places)}}}")

        wanted = [place(each) for each in self._filters]
        template = " & ".join([*wanted, *(part.condition(tier, place) for part in self.parts)])
        return Condition(template, tuple(blind.digest(term) for term in places))

    def match(self, tier: Tier, fields: Sequence[FieldText]) -> list[Highlight] | None:
        """Where the message answers; None when it does not."""
        found: set[Highlight] = set()
        for part in self.parts:
            spans = [Highlight(each.name, *span) for each in fields for span in part.spans(tier, each)]
            if not spans:
                return None
            found.update(spans)
        return _merged(sorted(found))


def _merged(highlights: list[Highlight]) -> list[Highlight]:
    merged: list[Highlight] = []
    for each in highlights:
        last = merged[-1] if merged else None
        if last is not None and last.field == each.field and each.start <= last.end:
            merged[-1] = Highlight(last.field, last.start, max(last.end, each.end))
        else:
            merged.append(each)
    return merged


def _all(lexemes: Iterable[str]) -> str:
    return f"({' & '.join(dict.fromkeys(lexemes))})"


def _any(choices: Iterable[str]) -> str:
    return f"({' | '.join(choices)})"


assert PIECED_MIN > _PIECE_LETTERS  # noqa: S101 -- a word that is cut into pieces has more than one


class NothingToLookForError(DomainError):
    code, kind = "messaging.search.nothing_to_look_for", Kind.INVALID
    title = "Give words in q, or sender_id or type"
