"""One WebSocket through the gateway: text frames in, text frames out, and nothing kept or mended on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

_UPGRADE = (
    b"GET /v1/realtime HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_TEXT, _CLOSE = 1, 8


class Wire(asyncio.Protocol):
    """``opened`` fails when the handshake does; ``closed`` is done when the socket is, whoever closed it."""

    def __init__(self, host: str, take: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self._host, self._take = host.encode(), take
        self._buffer = b""
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()

    @classmethod
    async def open(cls, base_url: str, take: Callable[[bytes], None]) -> Wire:
        """Raises ``OSError`` when nobody is there or the handshake is refused."""
        where = urlsplit(base_url)
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(lambda: cls(where.netloc, take), where.hostname, where.port)
        async with asyncio.timeout(5):
            await wire.opened
        return wire

    def say(self, text: bytes) -> None:
        """Masked, as clients must, with the mask that changes nothing."""
        size = len(text)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2)
        self._transport.write(head + b"\0\0\0\0" + text)

    def abort(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(_UPGRADE % self._host)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.opened.done():
            head, ended, rest = self._buffer.partition(b"\r\n\r\n")
            if not ended:
                return
            if b" 101 " not in head[:20]:
                self.opened.set_exception(ConnectionError(head[:60].decode(errors="replace")))
                self._transport.abort()
                return
            self._buffer = rest
            self.opened.set_result(None)
        self._read_frames()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"closed in the handshake: {exc}"))
        self.closed.set_result(None)

    def _read_frames(self) -> None:
        buffer, at = self._buffer, 0
        while (found := _frame(buffer, at)) is not None:
            start, end = found
            opcode = buffer[at] & 0x0F
            if opcode == _TEXT:
                self._take(buffer[start:end])
            elif opcode == _CLOSE:
                self._transport.close()
            at = end
        self._buffer = buffer[at:]


def _frame(buffer: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at this place begins and ends; None: it is not all there yet."""
    if len(buffer) < at + 2:
        return None
    size, start = buffer[at + 1], at + 2
    if size >= 126:
        wide = 2 if size == 126 else 8
        if len(buffer) < start + wide:
            return None
        size, start = int.from_bytes(buffer[start : start + wide]), start + wide
    return (start, start + size) if len(buffer) >= start + size else None
