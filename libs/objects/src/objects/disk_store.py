"""Objects as files in one folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from objects.store import ObjectMeta, StoreUnavailableError, checked, write_at


class DiskStore:
    """Files two folders deep, by the end of the id, which is random.

    Pieces are written into the file that becomes the object, each fsynced before it is acknowledged (with its folder
    when the file is new), so putting an upload is no work.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, key: str, offset: int, piece: bytes) -> None:
        with _errors_named():
            await asyncio.to_thread(_write, self._path(key), offset, piece)

    @asynccontextmanager
    async def local(self, key: str, size_bytes: int) -> AsyncIterator[Path]:
        path = self._path(key)
        with _errors_named():
            if path.stat().st_size != size_bytes:
                raise FileNotFoundError(key)
        yield path

    async def put(self, key: str, content: Path | bytes) -> None:
        if isinstance(content, bytes):
            await self.write(key, 0, content)

    async def find(self, key: str) -> ObjectMeta:
        path = self._path(key)
        with _errors_named():
            facts = path.stat()
        return ObjectMeta(size_bytes=facts.st_size, etag=f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"', path=path)

    async def read(self, key: str, meta: ObjectMeta, start: int, stop: int) -> bytes:  # noqa: ARG002 -- a file is itself
        with _errors_named():
            return await asyncio.to_thread(_read, self._path(key), start, stop)

    async def remove(self, key: str) -> None:
        with _errors_named():
            await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def check(self) -> None:
        with _errors_named():
            self._folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise StoreUnavailableError("the folder of uploaded files cannot be written")

    async def close(self) -> None:
        """Nothing is open."""

    def _path(self, key: str) -> Path:
        known = checked(key)
        name = known.partition(".")[0].replace("-", "")
        return self._folder / name[-2:] / name[-4:-2] / known


@contextlib.contextmanager
def _errors_named() -> Iterator[None]:
    """A full or broken disk, in the words of every store."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreUnavailableError(f"the disk of uploaded files: {error.strerror}") from error


def _read(path: Path, start: int, stop: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(stop - start)


def _write(path: Path, offset: int, piece: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        write_at(handle, offset, piece)
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
