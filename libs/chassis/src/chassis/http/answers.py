"""A finished answer: bytes and headers, before it becomes aiohttp's response.

Kept apart so that an answer can be stored with its transaction and replayed byte for byte.
"""

from __future__ import annotations

import zlib
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

from chassis.http.preconditions import of_gzip

GZIP_BYTES_MIN: Final = 1_400
GZIP_BYTES_MAX: Final = 4 * 1024 * 1024
_GZIP_LEVEL: Final = 4
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"


class Answer:
    """Status, body and headers; ``size`` in bytes of the body, or of the one that a 304 says is current."""

    __slots__ = ("body", "content_type", "headers", "size", "status")

    def __init__(
        self,
        status: int,
        body: bytes | None,
        content_type: str = JSON,
        headers: dict[str, str] | None = None,
        *,
        size: int = 0,
    ) -> None:
        self.status, self.body, self.content_type = status, body, content_type
        self.headers = headers
        self.size = len(body) if body is not None else size

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
        if self.size >= GZIP_BYTES_MIN:
            headers["Vary"] = ", ".join([*headers.getall("Vary", ()), "Accept-Encoding"])
            if self.size <= GZIP_BYTES_MAX and _accepts_gzip(accept_encoding):
                if "ETag" in headers:
                    headers["ETag"] = of_gzip(headers["ETag"])
                if body is not None:
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
