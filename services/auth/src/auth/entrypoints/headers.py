"""What headers say beside the body: the language asked for, the version a change was made for."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

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


def expected_version(request: web.Request) -> int | None:
    """From ``If-Match``; None when absent or ``*``. A tag that was never given out is version 0: nobody's."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    match = _ETAG.fullmatch(header.strip())
    return int(match[1]) if match else 0
