"""A small finished answer that goes out in one piece.

aiohttp's response assembles its headers in a multidict, sends it through its hooks and serializes it: without this
module a small GET costs 1.86 times a bare aiohttp handler instead of 1.13, a POST 1.46 instead of 1.25
(bench/chassis_overhead.py measures both in turns). An answer whose headers are known needs none of that. Used only for
HTTP/1.1 on a connection that stays open, for a method with a body, and in an application without middlewares and
``on_response_prepare``; all else goes aiohttp's way.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Final

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

_OWN: Final = frozenset({"content-type", "content-length", "x-request-id", "date", "connection", "transfer-encoding"})


class QuickResponse(web.StreamResponse):
    """Writes one prepared block of bytes. It has no headers to look at: nobody is there to look at them."""

    def __init__(self, status: int, block: bytes) -> None:
        self._quick_status, self._block = status, block
        self._to: Any = None

    @property
    def status(self) -> int:
        return self._quick_status

    @property
    def prepared(self) -> bool:
        return True

    @property
    def keep_alive(self) -> bool | None:
        return True

    async def prepare(self, request: Any) -> AbstractStreamWriter | None:
        """Nothing to send yet."""
        self._to = request
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Send it all. Raises ``ConnectionResetError`` when the client is gone, as aiohttp's own does."""
        transport = self._to.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        transport.write(self._block + data)
        if transport.get_write_buffer_size():
            await self._to.writer.drain()


class QuickHeads:
    """The heads of one route's answers: what never changes is written once."""

    def __init__(self, fixed: Mapping[str, str]) -> None:
        self._fixed = _written(fixed)
        self._taken = _OWN | {name.lower() for name in fixed}
        self._starts: dict[tuple[int, str], str] = {}
        self._unheard: bool | None = None

    def suits(self, http: web.Request) -> bool:
        """Whether this request may be answered in one piece."""
        if self._unheard is None:
            self._unheard = not any(app.on_response_prepare or app.middlewares for app in http.match_info.apps)
        return self._unheard and http.version == HttpVersion11 and http.keep_alive and http.method != "HEAD"

    def block(
        self, status: int, content_type: str, request_id: str, body: bytes, more: Mapping[str, str] | None
    ) -> bytes | None:
        """Head and body; None when a header replaces one that is written already. Values are printable."""
        start = self._starts.get((status, content_type)) or self._start(status, content_type)
        extra = ""
        if more:
            if not self._taken.isdisjoint(name.lower() for name in more):
                return None
            extra = _written(more)
        date = http_date(int(time.time()))
        head = f"{start}{extra}X-Request-Id: {request_id}\r\nContent-Length: {len(body)}\r\nDate: {date}\r\n\r\n"
        return head.encode() + body

    def _start(self, status: int, content_type: str) -> str:
        reason = web.Response(status=status).reason
        start = f"HTTP/1.1 {status} {reason}\r\n{self._fixed}Content-Type: {content_type}\r\n"
        if len(self._starts) < 64:
            self._starts[(status, content_type)] = start
        return start


@lru_cache(maxsize=2)
def http_date(unix_s: int) -> str:
    """``Date`` of a second."""
    return formatdate(unix_s, usegmt=True)


def _written(headers: Mapping[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())
