"""What a reader asks for by ``Accept-Language``: one of the languages that Sampan writes, or one of its locales."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from aiohttp import web

from kernel.country import LANGUAGES, LOCALES

_READ_AS: Final = {**{each: each for each in LANGUAGES}, "fil": "en", "tl": "en", "in": "id"}
_HEADER_CHARS_MAX: Final = 256  # what comes after is not read
_DEFAULT: Final = "en"
_DEFAULT_LOCALE: Final = "en-US"


def reading_language(request: web.BaseRequest) -> str:
    """The language of ours that the request prefers most; English when it names none."""
    return _language_of((request.headers.get("Accept-Language") or "")[:_HEADER_CHARS_MAX])


def reading_locale(request: web.Request, given: str | None = None) -> str:
    """``given`` where it is a locale or language of ours, else what the request prefers most; ``en-US`` for others."""
    for tag in (given or "", *_preferred(request.headers.get("Accept-Language"))):
        for locale in LOCALES:
            if tag.lower() in {locale.lower(), locale.split("-")[0]}:
                return locale
    return _DEFAULT_LOCALE


@lru_cache(maxsize=1024)
def _language_of(accept_language: str) -> str:
    languages = (_READ_AS.get(tag.split("-", maxsplit=1)[0].lower()) for tag in _preferred(accept_language))
    return next(filter(None, languages), _DEFAULT)


def _preferred(accept_language: str | None) -> list[str]:
    """The tags of a header that it does not refuse, the most wanted first."""
    entries = (entry.partition(";") for entry in (accept_language or "")[:_HEADER_CHARS_MAX].split(","))
    weighted = [(_weight(parameters), tag.strip()) for tag, _, parameters in entries]
    return [tag for weight, tag in sorted(weighted, key=lambda each: -each[0]) if weight > 0]


def _weight(parameters: str) -> float:
    name, _, value = parameters.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
