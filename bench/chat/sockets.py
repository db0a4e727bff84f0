"""Clients of ours and of the bare server: raw protocols that scan bytes and parse nothing.

A text holds ``~00000017`` and a ref is ``#00000017``: one regular expression over what came in finds deliveries and
acknowledgements, at a few microseconds a frame, on the cores that the server needs.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from typing import Any

from chat.tally import Tally

MARK = re.compile(rb"[~#]\d{8}")
MARK_BYTES = 9
_DELIVERY = ord("~")
UPGRADE = (
    b"GET /v1/realtime HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def text_frame(payload: bytes) -> bytes:
    """Masked, as clients must, with the mask that changes nothing."""
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2)
    return head + b"\0\0\0\0" + payload


def client_message_id(run: int, number: int) -> str:
    return f"{run:08x}-0000-4000-8000-{number:012x}"


class Member(asyncio.Protocol):
    """One who is online: reads everything, and may write."""

    def __init__(self, host: str, credential: str, tally: Tally, run: int, resume: Any = None) -> None:
        auth = {"type": "auth", "token": credential, **({"resume": resume} if resume is not None else {})}
        self._host, self._auth = host.encode(), json.dumps(auth).encode()
        self._mark = b'"resumed"' if resume is not None else b'"ready"'
        self._tally, self._run = tally, run
        self._tail = b""
        self._upgraded = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False
        self._filler = "x" * max(0, tally.plan.text_chars - MARK_BYTES - 1)

    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.Transport = transport
        transport.write(UPGRADE % self._host)

    def data_received(self, data: bytes) -> None:
        if self.ready.done():
            self._scan(data)
            return
        if not self._upgraded and b"\r\n\r\n" in data:
            self._upgraded = True
            if b" 101 " not in data[:20]:
                self.ready.set_exception(ConnectionError(data[:80].decode(errors="replace")))
                return
            self.transport.write(text_frame(self._auth))
        if self._mark in data:
            self.ready.set_result(None)

    def _scan(self, data: bytes) -> None:
        data = self._tail + data
        self._tail = data[1 - MARK_BYTES :]
        numbers = []
        for mark in MARK.findall(data):
            number = int(mark[1:])
            if mark[0] == _DELIVERY:
                numbers.append(number)
            else:
                self._tally.acked(number, stored=b'"type":"error"' not in data or b'"ref":"%s"' % mark not in data)
        if numbers:
            self._tally.delivered(numbers)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(str(exc)))

    def send(self, number: int) -> None:
        plan = self._tally.plan
        self.transport.write(
            text_frame(
                b'{"type":"send","ref":"#%08d","dialog_id":"%s","client_message_id":"%s",'
                b'"content":{"type":"text","text":"~%08d %s"}}'
                % (
                    number,
                    plan.room_id.encode(),
                    client_message_id(self._run, number).encode(),
                    number,
                    self._filler.encode(),
                )
            )
        )


class HttpWriter(asyncio.Protocol):
    """One keep-alive connection that POSTs, one request at a time; the others wait their turn."""

    def __init__(self, host: str, credential: str, tally: Tally, run: int) -> None:
        plan = tally.plan
        self._tally, self._run = tally, run
        self._head = (
            f"POST /v1/dialogs/{plan.room_id}/messages HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {credential}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        self._filler = "x" * max(0, plan.text_chars - MARK_BYTES - 1)
        self._waiting: deque[int] = deque()
        self._current: int | None = None
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.Transport = transport

    def send(self, number: int) -> None:
        if self._current is None:
            self._say(number)
        else:
            self._waiting.append(number)

    def _say(self, number: int) -> None:
        self._current = number
        body = (
            f'{{"client_message_id":"{client_message_id(self._run, number)}",'
            f'"content":{{"type":"text","text":"~{number:08d} {self._filler}"}}}}'
        ).encode()
        self.transport.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or self._current is None:
            return
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
        )
        if len(body) < length:
            return
        number, self._current, self._buffer = self._current, None, b""
        self._tally.acked(number, stored=head[9:12] in {b"200", b"201"})
        if self._waiting and self._current is None:
            self._say(self._waiting.popleft())


class Stalled(asyncio.Protocol):
    """One who gets in and then reads nothing: the kernel's buffers fill, then the server's."""

    def __init__(self, host: str, credential: str) -> None:
        self._host, self._auth = host.encode(), json.dumps({"type": "auth", "token": credential}).encode()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.Transport = transport
        transport.write(UPGRADE % self._host)

    def data_received(self, data: bytes) -> None:
        if b" 101 " in data[:20]:
            self.transport.write(text_frame(self._auth))
        if b'"ready"' in data and not self.ready.done():
            self.transport.pause_reading()
            self.ready.set_result(None)

    async def was_sent_away(self, timeout_s: float = 3.0) -> bool:
        """Read what is left, and see whether it ends."""
        if self.closed.is_set():
            return True
        self.transport.resume_reading()
        try:
            await asyncio.wait_for(self.closed.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(str(exc)))
