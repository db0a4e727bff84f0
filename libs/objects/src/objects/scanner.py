"""Asks a virus scanner that speaks clamd's protocol (INSTREAM): ClamAV's daemon, or the sandbox's stand-in."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from typing import Final

PIECE: Final = 256 * 1024
TIMEOUT_S: Final = 120.0
_OK: Final = "stream: OK"


class ScannerUnavailableError(Exception):
    """No verdict: it is asked again later, and the file stays where nobody gets it."""


class ClamdScanner:
    """One connection a file."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    async def scan(self, path: Path) -> str | None:
        """None when clean, else what was found. Raises ``ScannerUnavailableError``."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await self._ask(path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise ScannerUnavailableError(type(error).__name__) from error
        if answer == _OK:
            return None
        if answer.startswith("stream: ") and answer.endswith(" FOUND"):
            return answer.removeprefix("stream: ").removesuffix(" FOUND")
        raise ScannerUnavailableError(answer[:100])

    async def _ask(self, path: Path) -> str:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(b"zINSTREAM\0")
            with path.open("rb") as file:
                while piece := await asyncio.to_thread(file.read, PIECE):
                    writer.write(struct.pack(">I", len(piece)) + piece)
                    await writer.drain()
            writer.write(struct.pack(">I", 0))
            await writer.drain()
            return (await reader.readuntil(b"\0")).rstrip(b"\0").decode(errors="replace").strip()
        finally:
            writer.close()
