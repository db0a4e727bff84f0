"""Where bytes are: an object has a key and is written in pieces at offsets, then read whole or in part.

The disk store keeps what it acknowledged (fsync of the file, and of its folder when it is new). An S3 store has the
same shape: pieces are parts, ``open`` is a ranged GET.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Protocol
from uuid import UUID


class ObjectStore(Protocol):
    """``key``: an attachment's id, with a suffix for a thumbnail."""

    async def write(self, key: str, offset: int, piece: bytes) -> None:
        """Durable when it returns; writing the same piece again changes nothing."""

    async def local(self, key: str) -> Path:
        """A file with the object's bytes. Raises ``FileNotFoundError``."""

    async def remove(self, key: str) -> None:
        """What is not there is removed already."""


class DiskStore:
    """Files under one folder, two levels deep by the end of the id, which is random."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, key: str, offset: int, piece: bytes) -> None:
        await asyncio.to_thread(self._write, self._path(key), offset, piece)

    async def local(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        return path

    async def remove(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def _path(self, key: str) -> Path:
        name, _, suffix = key.partition(".")
        known = UUID(name)  # a key never leads out of the folder
        safe = f"{known}.{int(suffix)}" if suffix else str(known)
        return self._folder / known.hex[-2:] / known.hex[-4:-2] / safe

    @staticmethod
    def _write(path: Path, offset: int, piece: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            view = memoryview(piece)
            while view:
                written = os.pwrite(handle, view, offset)
                view, offset = view[written:], offset + written
            os.fsync(handle)
        finally:
            os.close(handle)
        if fresh:
            with contextlib.suppress(OSError):
                folder = os.open(path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
