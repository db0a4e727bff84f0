"""Thumbnails, made by a process of their own that is bounded in memory and time: a picture may be made to hurt.

What is made has no metadata: no place, no camera, no name.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TIMEOUT_S: Final = 20.0
AT_ONCE: Final = 1
_gate = asyncio.Semaphore(AT_ONCE)


class PictureRefusedError(Exception):
    """It cannot be read as a picture, or is larger than pictures may be."""


@dataclass(frozen=True, slots=True)
class Pictured:
    """``thumbnails``: width → JPEG or WebP bytes."""

    media_type: str
    width: int
    height: int
    thumbnails: dict[int, bytes]


async def picture(path: Path, widths: tuple[int, ...]) -> Pictured:
    """Raises ``PictureRefusedError``."""
    async with _gate:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "objects.picture_process", str(path), *map(str, widths)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                out, _ = await process.communicate()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise PictureRefusedError("it took too long") from None
    if process.returncode != 0:
        raise PictureRefusedError(f"exit {process.returncode}")
    return _read(out)


def _read(out: bytes) -> Pictured:
    """A line of JSON with sizes, then the thumbnails one after the other."""
    head, _, rest = out.partition(b"\n")
    facts = json.loads(head)
    thumbnails = {}
    for width, size in facts["thumbnails"]:
        thumbnails[int(width)], rest = rest[:size], rest[size:]
    return Pictured(facts["media_type"], facts["width"], facts["height"], thumbnails)
