"""What a store of objects does. An upload comes in pieces; once it is whole and wanted, it is put, and is an object.

Two stores have this shape and pass one suite of tests (tests/component/test_stores.py): a folder (``disk_store``) and
a bucket of S3 (``s3_store``). A store that cannot be asked raises ``StoreUnavailableError``: nothing is lost then, and
the same call may be made again.
"""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import UUID


class StoreUnavailableError(OSError):
    """An outage, as any OSError is. ``reason``, for operators: what hinders it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMeta:
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
    """``key``: a UUID, or one with ``.`` and a number for what was made of it (a thumbnail).

    The caller sees to it that one piece of an upload is written at a time.
    """

    async def write(self, key: str, offset: int, piece: bytes) -> None:
        """A piece of an upload: durable when it returns; writing it again changes nothing."""

    def local(self, key: str, size_bytes: int) -> AbstractAsyncContextManager[Path]:
        """A file with all the bytes, for the length of the block. ``FileNotFoundError``: they are not all there."""

    async def put(self, key: str, content: Path | bytes) -> None:
        """The object, whole, of what ``local`` gave or of bytes. From now on it is found and read."""

    async def find(self, key: str) -> ObjectMeta:
        """Raises ``FileNotFoundError``."""

    async def read(self, key: str, meta: ObjectMeta, start: int, stop: int) -> bytes:
        """The bytes from ``start`` up to ``stop`` of what was found. Raises ``FileNotFoundError``."""

    async def remove(self, key: str) -> None:
        """Object and pieces. What is not there is removed already."""

    async def check(self) -> None:
        """Raises when nothing could be written now."""

    async def close(self) -> None:
        """The last thing before the process ends."""


def checked(key: str) -> str:
    """The key, once it is sure that it leads nowhere else. Raises ``ValueError``."""
    name, _, suffix = key.partition(".")
    known = UUID(name)
    return f"{known}.{int(suffix)}" if suffix else str(known)


def write_at(handle: int, offset: int, piece: bytes) -> None:
    """All of it: ``pwrite`` may take less."""
    view = memoryview(piece)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written
