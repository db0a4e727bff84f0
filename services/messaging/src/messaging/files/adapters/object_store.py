"""Where bytes are. An upload comes in pieces; once it was judged it is kept, and from then on it is an object.

Two stores have this shape and pass one suite of tests (tests/component/test_object_store.py): a folder (here), and a
bucket of S3 (``s3_store.py``). Whoever cannot be asked raises ``AttachmentStoreUnavailableError``: nothing is lost
then, and the same call may be made again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import UUID

from messaging.core.domain.attachment import AttachmentStoreUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An object as it is now. ``etag`` changes with its bytes. ``path``: where its bytes are, on this machine."""

    size_bytes: int
    etag: str
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Access:
    """``endpoint``: where S3 is; None for Amazon's own of the region."""

    bucket: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    endpoint: str | None = None


class ObjectStore(Protocol):
    """``key``: an attachment's id, with a suffix for a thumbnail.

    The caller sees to it that one piece of an upload is written at a time (``take_piece`` holds the row).
    """

    async def write(self, key: str, offset: int, piece: bytes) -> None:
        """A piece of an upload: durable when it returns; writing it again changes nothing."""

    def local(self, key: str, size_bytes: int) -> AbstractAsyncContextManager[Path]:
        """A file with all the bytes, for the length of the block. ``FileNotFoundError``: they are not all there."""

    async def keep(self, key: str, content: Path | bytes) -> None:
        """The object, whole, of what ``local`` gave or of bytes. From now on it is found and read."""

    async def find(self, key: str) -> Kept:
        """Raises ``FileNotFoundError``."""

    async def read(self, key: str, kept: Kept, start: int, stop: int) -> bytes:
        """The bytes from ``start`` up to ``stop`` of what was found. Raises ``FileNotFoundError``."""

    async def remove(self, key: str) -> None:
        """Object and pieces. What is not there is removed already."""

    async def check(self) -> None:
        """Raises when nothing could be written now."""

    async def close(self) -> None:
        """The last thing before the process ends."""


class DiskStore:
    """Files under one folder, two levels deep by the end of the id, which is random.

    Pieces are written into the file that becomes the object, each fsynced before it is acknowledged (with its folder
    when the file is new), so keeping an upload is no work.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, key: str, offset: int, piece: bytes) -> None:
        with _told():
            await asyncio.to_thread(_write, self._path(key), offset, piece)

    @asynccontextmanager
    async def local(self, key: str, size_bytes: int) -> AsyncIterator[Path]:
        path = self._path(key)
        with _told():
            if path.stat().st_size != size_bytes:
                raise FileNotFoundError(key)
        yield path

    async def keep(self, key: str, content: Path | bytes) -> None:
        if isinstance(content, bytes):
            await self.write(key, 0, content)

    async def find(self, key: str) -> Kept:
        path = self._path(key)
        with _told():
            facts = path.stat()
        return Kept(size_bytes=facts.st_size, etag=f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"', path=path)

    async def read(self, key: str, kept: Kept, start: int, stop: int) -> bytes:  # noqa: ARG002 -- a file is itself
        with _told():
            return await asyncio.to_thread(_read, self._path(key), start, stop)

    async def remove(self, key: str) -> None:
        with _told():
            await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def check(self) -> None:
        with _told():
            self._folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise AttachmentStoreUnavailableError("the folder of uploaded files cannot be written")

    async def close(self) -> None:
        """Nothing is open."""

    def _path(self, key: str) -> Path:
        known = checked(key)
        name = known.partition(".")[0].replace("-", "")
        return self._folder / name[-2:] / name[-4:-2] / known


def checked(key: str) -> str:
    """The key, once it is sure that it leads nowhere else. Raises ``ValueError``."""
    name, _, suffix = key.partition(".")
    known = UUID(name)
    return f"{known}.{int(suffix)}" if suffix else str(known)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """A full or broken disk, in the words of every store."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AttachmentStoreUnavailableError(f"the disk of uploaded files: {error.strerror}") from error


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


def write_at(handle: int, offset: int, piece: bytes) -> None:
    """All of it: ``pwrite`` may take less."""
    view = memoryview(piece)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written
