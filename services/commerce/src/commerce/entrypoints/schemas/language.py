"""Which of the five text languages a reader asked for."""

from __future__ import annotations

from aiohttp import web

from commerce.domain.texts import LANGUAGES


def reading_language(request: web.Request) -> str:
    """The best of ``Accept-Language`` that Sampan writes; English when there is none."""
    ranges = [_weighted(part) for part in request.headers.get("Accept-Language", "").split(",")[:20]]
    for _, tag in sorted((each for each in ranges if each[0] > 0), key=lambda each: -each[0]):
        language = tag.split("-", maxsplit=1)[0].lower()
        if language in LANGUAGES:
            return language
    return "en"


def _weighted(part: str) -> tuple[float, str]:
    tag, _, weight = part.strip().partition(";q=")
    try:
        return (float(weight) if weight else 1.0), tag
    except ValueError:
        return 0.0, tag
