"""What headers say beside the body: the language asked for, the version a change was made for."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from chassis.http import IfMatch
from kernel.country import LOCALES

_ETAG: Final = re.compile(r'"(\d{1,18})(?:\.[0-9a-f]{1,32})?"')
_DEFAULT_LOCALE: Final = "en-US"


def asked_locale(request: web.Request, given: str | None) -> str:
    """The first language of the request that Sampan writes in; a hint only, so anything else is English."""
    accepted = [part.split(";")[0].strip() for part in request.headers.get("Accept-Language", "").split(",")]
    for tag in [given or "", *accepted]:
        for locale in LOCALES:
            if locale.lower() == tag.lower() or locale.split("-")[0] == tag.lower():
                return locale
    return _DEFAULT_LOCALE


def expected_versions(if_match: IfMatch | None) -> frozenset[int] | None:
    """None when ``If-Match`` is absent or ``*``. Tags that were never given out name no version."""
    if if_match is None or if_match.any_version:
        return None
    return frozenset(int(match[1]) for match in map(_ETAG.fullmatch, if_match.tags) if match)
