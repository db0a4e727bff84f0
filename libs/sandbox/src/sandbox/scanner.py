"""A stand-in for ClamAV's daemon: speaks its INSTREAM protocol over TCP, and finds the EICAR test file.

``PUT /scanner/behaviour``: ``{"away": true}`` closes every connection, ``{"error_next": n}`` answers an error n times,
``{"slow_s": s}`` waits first, ``{"infected": ["text"]}`` finds that text too, such as in a file it called clean before.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.misbehaving import behaviour_routes

# Split, so that no scanner of files stops at this one.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
STREAM_BYTES_MAX = 512 * 1024 * 1024


@dataclass(slots=True)
class Behaviour:
    away: bool = False
    error_next: int = 0
    slow_s: float = 0.0
    infected: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Scanner:
    """Counts what it was asked."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    scans: int = 0

    def routes(self) -> list[web.RouteDef]:
        return behaviour_routes("/scanner/behaviour", self)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one command."""
        try:
            if not self.behaviour.away:
                writer.write(await self._answer(reader))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        command = (await reader.readuntil(b"\0")).rstrip(b"\0")
        if command == b"zPING":
            return b"PONG\0"
        if command != b"zINSTREAM":
            return b"UNKNOWN COMMAND\0"
        content = await _stream(reader)
        self.scans += 1
        await asyncio.sleep(self.behaviour.slow_s)
        if self.behaviour.error_next > 0:
            self.behaviour.error_next -= 1
            return b"stream: Can't allocate memory ERROR\0"
        marks = [EICAR, *(each.encode() for each in self.behaviour.infected)]
        return b"stream: Eicar-Test-Signature FOUND\0" if any(each in content for each in marks) else b"stream: OK\0"


async def _stream(reader: asyncio.StreamReader) -> bytes:
    content = bytearray()
    while True:
        (size,) = struct.unpack(">I", await reader.readexactly(4))
        if size == 0 or len(content) > STREAM_BYTES_MAX:
            return bytes(content)
        content += await reader.readexactly(size)
