"""A finished answer: bytes and headers, before it becomes aiohttp's response.

Kept apart so that an answer can be stored with its transaction and replayed byte for byte.
"""

from __future__ import annotations

import zlib
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

GZIP_BYTES_MIN: Final = 1_400
GZIP_BYTES_MAX: Final = 4 * 1024 * 1024
_GZIP_LEVEL: Final = 4
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"


class Answer:
    """Status, body and headers."""

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self, status: int, body: bytes | None, content_type: str = JSON, headers: dict[str, str] | None = None
    ) -> None:
        self.status, self.body, self.content_type = status, body, content_type
        self.headers = headers

    def to_response(self, accept_encoding: str | None, fixed: CIMultiDict[str]) -> web.Response:
        """aiohttp's response, compressed where that pays and the client can read it.

        ``fixed`` headers are added first; the answer's own win over them.
        """
        body = self.body
        response = web.Response(status=self.status, body=body)
        headers = response.headers
        headers.extend(fixed)
        if self.headers:
            headers.update(self.headers)
        if body is not None:
            headers["Content-Type"] = self.content_type
            if len(body) >= GZIP_BYTES_MIN:
                headers["Vary"] = ", ".join([*headers.getall("Vary", ()), "Accept-Encoding"])
                if len(body) <= GZIP_BYTES_MAX and _accepts_gzip(accept_encoding):
                    response.body = zlib.compress(body, _GZIP_LEVEL, zlib.MAX_WBITS | 16)
                    headers["Content-Encoding"] = "gzip"
        return response


def _accepts_gzip(accept_encoding: str | None) -> bool:
    if not accept_encoding or "gzip" not in accept_encoding:
        return False
    for entry in accept_encoding.split(","):
        coding, _, parameters = entry.partition(";")
        if coding.strip() == "gzip":
            return parameters.strip().replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
