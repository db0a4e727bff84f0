"""Titles of problems in the reader's language, chosen by ``Accept-Language``.

Codes and details are for the client's developer and stay as they are; the title may be shown to a person. A package
that defines errors has their titles beside its ``__init__.py``, in ``problems.json``: code, language, title.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Final

import orjson

from kernel.errors import DomainError

LANGUAGES: Final = ("en", "th", "id", "ms", "vi")
_SPOKEN: Final = {"en": "en", "fil": "en", "tl": "en", "th": "th", "id": "id", "in": "id", "ms": "ms", "vi": "vi"}
_HEADER_CHARS_MAX: Final = 256
_DEFAULT: Final = "en"
_OWN: Final = "chassis"

Titles = Mapping[str, Mapping[str, str]]


def titles_of(error: type[DomainError]) -> Mapping[str, str]:
    """By language, from the package that defines the error, or the chassis where it takes up one of its codes.

    English is what the class says.
    """
    package = error.__module__.partition(".")[0]
    titles = _titles_in(package).get(error.code) or _titles_in(_OWN).get(error.code, {})
    return {_DEFAULT: error.title, **titles}


@cache
def _titles_in(package: str) -> Titles:
    try:
        titles: Titles = orjson.loads(resources.files(package).joinpath("problems.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError, ModuleNotFoundError, TypeError):
        return {}
    return titles


@lru_cache(maxsize=1024)
def language_of(accept_language: str | None) -> str:
    """The language of ours that the header prefers most; English when it names none."""
    if not accept_language or len(accept_language) > _HEADER_CHARS_MAX:
        return _DEFAULT
    best, best_weight = _DEFAULT, 0.0
    for entry in accept_language.split(","):
        tag, _, parameters = entry.partition(";")
        language = _SPOKEN.get(tag.strip().split("-", maxsplit=1)[0].lower())
        weight = _weight(parameters)
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
