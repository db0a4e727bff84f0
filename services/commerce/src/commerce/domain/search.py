"""How text becomes search terms, the same for what is stored and what is asked, in all five languages.

Latin words are folded (case, accents, Vietnamese tone marks and đ) and matched by prefix. Thai and other
scripts without spaces become pairs of letters: a run of letters matches where all its pairs do and the run
itself stands in the text. Thai and Lao marks are put in order first, and invisible signs are left out.
When this changes, what is stored must be folded again: see ``product.fold_again``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kernel.errors import DomainError, Kind
from kernel.thai import spelled

TERMS_MAX: Final = 4_000
QUERY_TERMS_MAX: Final = 60
# Thai, Lao, Myanmar, Khmer, kana, CJK, Hangul.
_UNSPACED: Final = "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_TOKEN: Final = re.compile(rf"(?P<run>[{_UNSPACED}]+)|(?P<word>[^\W_{_UNSPACED}]+)")
_WORD_LENGTH_MAX: Final = 60


class CurrencyNeededError(DomainError):
    code, kind = "commerce.search.currency_needed", Kind.INVALID
    title = "Prices compare within one currency; name a currency, a country or a shop"


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to look for: words by prefix, letter pairs exactly, and runs that must stand in the text.

    An empty one, typed without a letter or digit, finds nothing.
    """

    prefixes: tuple[str, ...]
    pairs: tuple[str, ...]
    runs: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not self.prefixes and not self.pairs

    def as_tsquery(self) -> str:
        """In Postgres' tsquery syntax, every term required."""
        parts = [f"{_quoted(word)}:*" for word in self.prefixes] + [_quoted(pair) for pair in self.pairs]
        return " & ".join(parts)


def folded(text: str) -> str:
    """Lower case without Latin accents; marks of scripts that need them stay."""
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    parts = unicodedata.normalize("NFKD", spelled(seen))
    letters = (letter for letter in parts if not ("\u0300" <= letter <= "\u036f"))
    return unicodedata.normalize("NFC", "".join(letters).casefold().replace("đ", "d"))


def search_text(parts: Iterable[str]) -> str:
    """What the runs of a query are looked up in."""
    return " ".join(folded(part) for part in parts if part)


def terms(text: str) -> list[str]:
    """The distinct terms of a folded text, in order of appearance, at most ``TERMS_MAX``."""
    found: dict[str, None] = {}
    for token in _TOKEN.finditer(text):
        for term in _pairs(token["run"]) if token["run"] else [token["word"][:_WORD_LENGTH_MAX]]:
            found[term] = None
    return list(found)[:TERMS_MAX]


def parse_query(text: str) -> SearchQuery:
    """What a person typed, as terms; empty when there is no letter or digit in it."""
    prefixes: list[str] = []
    pairs: list[str] = []
    runs: list[str] = []
    for token in _TOKEN.finditer(folded(text)):
        if token["word"]:
            prefixes.append(token["word"][:_WORD_LENGTH_MAX])
        elif not any(map(str.isalnum, token["run"])):
            continue  # marks alone, or a currency sign
        elif len(token["run"]) == 1:
            prefixes.append(token["run"])
        else:
            pairs += _pairs(token["run"])
            runs.append(token["run"])
    return SearchQuery(
        tuple(dict.fromkeys(prefixes))[:QUERY_TERMS_MAX],
        tuple(dict.fromkeys(pairs))[:QUERY_TERMS_MAX],
        tuple(dict.fromkeys(run for run in runs if len(run) > 2)),
    )


def _pairs(run: str) -> list[str]:
    return [run[index : index + 2] for index in range(len(run) - 1)] or [run]


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"
