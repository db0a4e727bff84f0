"""WebSocket frames (RFC 6455) as bytes: what the server writes, and a reader of what clients send. No I/O.

A frame to clients is not masked, so one event is encoded once and the same bytes go to every watcher. Extensions are
never agreed on: compression alone would cost 100 KiB a connection.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from messaging.realtime.domain.codes import REASONS, Close

FRAME_BYTES_MAX: Final = 64 * 1024
_CONTROL_BYTES_MAX: Final = 125
_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FIN: Final = 0x80


class Opcode(IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_KNOWN: Final = frozenset(Opcode)
# What may stand in a close frame (RFC 6455, 7.4): registered for endpoints to send, and those of libraries and apps.
_CLOSE_CODES: Final = frozenset((1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)))


class FrameError(Exception):
    """What came is no frame that can be taken. ``code`` is what to close with."""

    def __init__(self, code: Close, reason: str = "") -> None:
        super().__init__(reason or REASONS[code])
        self.code = code


def accept_of(key: str) -> str:
    """The ``Sec-WebSocket-Accept`` for a client's key."""
    return base64.b64encode(hashlib.sha1(key.encode() + _MAGIC, usedforsecurity=False).digest()).decode()


def frame_of(opcode: Opcode, payload: bytes) -> bytes:
    """One whole frame to a client."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | opcode, size)) + payload
    if size < 65536:
        return bytes((_FIN | opcode, 126)) + size.to_bytes(2) + payload
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8) + payload


def text_frame(payload: bytes) -> bytes:
    """One text frame to a client; ``payload`` is UTF-8."""
    return frame_of(Opcode.TEXT, payload)


def payloads_of(frames: bytes) -> Iterator[bytes]:
    """What ``text_frame`` was given, for one frame or several in a row."""
    at = 0
    while at < len(frames):
        start = at + {126: 4, 127: 10}.get(frames[at + 1], 2)
        size = frames[at + 1] if start == at + 2 else int.from_bytes(frames[at + 2 : start])
        yield frames[start : start + size]
        at = start + size


def payload_of(frame: bytes) -> bytes:
    """What one frame holds."""
    return next(payloads_of(frame))


def close_frame(code: int, reason: str = "") -> bytes:
    """The frame that ends a connection."""
    return frame_of(Opcode.CLOSE, code.to_bytes(2) + reason.encode()[: _CONTROL_BYTES_MAX - 2])


def answer_to_close(payload: bytes) -> Close:
    """What a client's close frame is answered with: ``PROTOCOL`` where its code or its reason is none."""
    if not payload:
        return Close.NORMAL
    if len(payload) == 1 or int.from_bytes(payload[:2]) not in _CLOSE_CODES:
        return Close.PROTOCOL
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return Close.PROTOCOL
    return Close.NORMAL


class FrameReader:
    """Turns what a client sends into whole messages. Holds at most one unfinished message of ``FRAME_BYTES_MAX``."""

    __slots__ = ("_buffer", "_fragments", "_opcode")

    def __init__(self) -> None:
        self._buffer = b""
        self._fragments: bytearray | None = None
        self._opcode = Opcode.TEXT

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Messages and control frames that are complete with ``data``. Raises ``FrameError``."""
        self._buffer = self._buffer + data if self._buffer else data
        while (taken := self._take()) is not None:
            final, opcode, payload = taken
            message = (opcode, payload) if opcode >= Opcode.CLOSE else self._assembled(opcode, payload, final=final)
            if message is not None:
                yield message

    def _take(self) -> tuple[bool, Opcode, bytes] | None:
        """The next frame, unmasked, or None while it is not all here."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        final, opcode, size = self._checked(buffer[0], buffer[1])
        start = 2
        if size >= 126:
            start += 2 if size == 126 else 8
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start])
        if opcode < Opcode.CLOSE and size + len(self._fragments or b"") > FRAME_BYTES_MAX:
            raise FrameError(Close.TOO_BIG)
        end = start + 4 + size
        if len(buffer) < end:
            return None
        self._buffer = buffer[end:]
        return final, opcode, _unmasked(buffer[start + 4 : end], buffer[start : start + 4])

    def _checked(self, first: int, second: int) -> tuple[bool, Opcode, int]:
        final, opcode, size = bool(first & _FIN), first & 0x0F, second & 0x7F
        if first & 0x70 or opcode not in _KNOWN:
            raise FrameError(Close.PROTOCOL, "reserved bits or opcode")
        if not second & 0x80:
            raise FrameError(Close.PROTOCOL, "a client's frame must be masked")
        if opcode >= Opcode.CLOSE and (not final or size > _CONTROL_BYTES_MAX):
            raise FrameError(Close.PROTOCOL, "a control frame is short and whole")
        if opcode == Opcode.BINARY:
            raise FrameError(Close.MALFORMED)
        if opcode < Opcode.CLOSE and (opcode == Opcode.CONTINUATION) != (self._fragments is not None):
            raise FrameError(Close.PROTOCOL, "fragments out of order")
        return final, Opcode(opcode), size

    def _assembled(self, opcode: Opcode, payload: bytes, *, final: bool) -> tuple[Opcode, bytes] | None:
        if self._fragments is None:
            if final:
                return opcode, payload
            self._opcode, self._fragments = opcode, bytearray(payload)
            return None
        self._fragments += payload
        if not final:
            return None
        whole, self._fragments = bytes(self._fragments), None
        return self._opcode, whole


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    """One operation on one long number: as quick as C for frames of this size."""
    size = len(payload)
    if not size or mask == b"\0\0\0\0":
        return payload
    stream = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(stream)).to_bytes(size)
