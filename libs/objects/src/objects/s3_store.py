"""Objects in a bucket of S3, or of what speaks like it.

``pieces/<key>/<offset>-<length>`` is a piece of an upload: an object of its own, whole and durable once S3 has
answered. Nothing of an upload is on a node, so it goes on at any other; the caller notes how far it is, once the piece
is there. A multipart upload would not do: its parts have at least 5 MiB, and pieces are small.

``objects/<key>`` is written by ``put`` alone, from the file that ``local`` gave, and it is all that ``find`` and
``read`` look at: what is served are the bytes that were scanned, whatever happens to pieces afterwards. A scan needs
the bytes here anyway, so putting the pieces together costs one write of the file.

A piece whose writer did not note it (the node died, or S3 answered too late) stays beside the one that is sent
again for the same offset. Both hold bytes of the same file, so pieces may overlap: all are laid at their offsets, and
together they must cover the file. A client that sent two contents gets one of them, or a file that its SHA-256 refuses.

obstore is imported here, and this file only where S3 is chosen.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import obstore
import structlog
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError
from obstore.store import S3Store as Bucket

from objects.store import ObjectMeta, S3Access, StoreUnavailableError, checked, write_at

# A piece may be written while a row is locked: well below what Postgres lets a transaction wait.
PIECE_S: Final = 6.0
ASK_S: Final = 20.0
PUT_S: Final = 150.0
SETTLE_S: Final = 0.1
PART_BYTES: Final = 8 * 1024 * 1024
PARTS_AT_ONCE: Final = 2
PIECES_AT_ONCE: Final = 8
_WORK: Final = "judged-"
_LEFT_BEHIND_S: Final = 3600.0
log = structlog.get_logger(__name__)


class _Piece(NamedTuple):
    offset: int
    length: int
    path: str

    @property
    def end(self) -> int:
        return self.offset + self.length

    @classmethod
    def of(cls, path: str) -> _Piece:
        offset, _, length = path.rpartition("/")[2].partition("-")
        return cls(int(offset), int(length), path)


class S3Store:
    """``folder``: files are fetched into it for ``local``; one is never larger than its upload."""

    def __init__(self, access: S3Access, folder: Path) -> None:
        self._folder = folder
        _forget_left_behind(folder)
        endpoint = access.endpoint or f"https://s3.{access.region}.amazonaws.com"
        self._bucket = Bucket(
            access.bucket,
            endpoint=endpoint,
            region=access.region,
            access_key_id=access.access_key_id,
            secret_access_key=access.secret_access_key,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=2),
                "timeout": timedelta(seconds=ASK_S),
            },
            retry_config={
                "max_retries": 2,
                "retry_timeout": timedelta(seconds=5),
                "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=1), "base": 2},
            },
        )

    async def write(self, key: str, offset: int, piece: bytes) -> None:
        path = f"{_pieces(key)}{offset:015d}-{len(piece)}"
        async with _asking("write", PIECE_S, missing="the bucket is not there"):
            await obstore.put_async(self._bucket, path, piece, use_multipart=False)

    @asynccontextmanager
    async def local(self, key: str, size_bytes: int) -> AsyncIterator[Path]:
        handle, name = await asyncio.to_thread(_new_file, self._folder)
        try:
            try:
                meta = await self.find(key)
            except FileNotFoundError:
                await self._join(key, size_bytes, handle)
            else:
                await self._fetch(key, meta, size_bytes, handle)
                await self._remove_pieces(key)  # of a node that died after it had put the object
            yield Path(name)
        finally:
            _drop_file(handle, name)

    async def put(self, key: str, content: Path | bytes) -> None:
        async with _asking("put", PUT_S, missing="the bucket is not there"):
            await obstore.put_async(
                self._bucket, _object(key), content, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )
        await self._remove_pieces(key)

    async def find(self, key: str) -> ObjectMeta:
        async with _asking("find", ASK_S):
            facts = await obstore.head_async(self._bucket, _object(key))
        return ObjectMeta(size_bytes=facts["size"], etag=facts["e_tag"] or "")

    async def read(self, key: str, meta: ObjectMeta, start: int, stop: int) -> bytes:
        async with _asking("read", ASK_S):
            found = await obstore.get_async(
                self._bucket, _object(key), options={"range": (start, stop), "if_match": meta.etag or None}
            )
            return bytes(await found.bytes_async())

    async def remove(self, key: str) -> None:
        async with _asking("remove", ASK_S):
            with contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._bucket, _object(key))
        await self._remove_pieces(key)

    async def check(self) -> None:
        async with _asking("check", PIECE_S, missing="the bucket is not there"):
            await obstore.put_async(self._bucket, "check", b"", use_multipart=False)

    async def close(self) -> None:
        """Threads of obstore let go of an answer just after they gave it; Python aborts when it ends before they do."""
        await asyncio.sleep(SETTLE_S)

    async def _fetch(self, key: str, meta: ObjectMeta, size_bytes: int, handle: int) -> None:
        if meta.size_bytes != size_bytes:
            raise FileNotFoundError(key)
        for start in range(0, size_bytes, PART_BYTES):
            part = await self.read(key, meta, start, min(start + PART_BYTES, size_bytes))
            await asyncio.to_thread(write_at, handle, start, part)

    async def _join(self, key: str, size_bytes: int, handle: int) -> None:
        """Lay the pieces at their offsets. Raises when they do not cover the file, or reach beyond it."""
        pieces = sorted(map(_Piece.of, await self._list_pieces(key)))
        covered = 0
        for each in pieces:
            if each.offset > covered or each.end > size_bytes:
                raise FileNotFoundError(key)
            covered = max(covered, each.end)
        if covered != size_bytes:
            raise FileNotFoundError(key)
        for first in range(0, len(pieces), PIECES_AT_ONCE):
            await asyncio.gather(*(self._lay(each, handle) for each in pieces[first : first + PIECES_AT_ONCE]))

    async def _lay(self, piece: _Piece, handle: int) -> None:
        async with _asking("join", ASK_S):
            content = bytes(await (await obstore.get_async(self._bucket, piece.path)).bytes_async())
        await asyncio.to_thread(write_at, handle, piece.offset, content)

    async def _list_pieces(self, key: str) -> list[str]:
        found: list[str] = []
        async with _asking("list", ASK_S):
            async for batch in obstore.list(self._bucket, _pieces(key), chunk_size=1000):
                found += [each["path"] for each in batch]
        return found

    async def _remove_pieces(self, key: str) -> None:
        paths: Sequence[str] = await self._list_pieces(key)
        if paths:
            async with _asking("remove", ASK_S):
                await obstore.delete_async(self._bucket, paths)


@asynccontextmanager
async def _asking(what: str, limit_s: float, *, missing: str | None = None) -> AsyncIterator[None]:
    """One question to S3, with what hinders it in the words of every store.

    ``missing``: what it means when S3 says 404; without it that is a ``FileNotFoundError``.
    """
    try:
        async with asyncio.timeout(limit_s):
            yield
    except (BaseError, OSError) as error:  # TimeoutError is an OSError
        if isinstance(error, FileNotFoundError) and missing is None:
            raise
        reason = f"S3: {_reason(error, missing)}"
        log.warning("objects.unavailable", asked=what, reason=reason, error=str(error).partition("\n")[0][:300])
        raise StoreUnavailableError(reason) from error


def _reason(error: Exception, missing: str | None) -> str:
    match error:
        case FileNotFoundError():
            return missing or "not there"
        case PermissionDeniedError() | UnauthenticatedError():
            return "our credentials are refused, or what they may do"
        case PreconditionError():  # the same bytes, put twice: asked again, they are read anew
            return "the object changes at this moment"
        case _:
            return "no answer"


def _object(key: str) -> str:
    return f"objects/{checked(key)}"


def _pieces(key: str) -> str:
    return f"pieces/{checked(key)}/"


def _new_file(folder: Path) -> tuple[int, str]:
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.mkstemp(prefix=_WORK, dir=folder)


def _drop_file(handle: int, name: str) -> None:
    os.close(handle)
    Path(name).unlink(missing_ok=True)


def _forget_left_behind(folder: Path) -> None:
    """Files of processes that were killed while they used them."""
    for path in folder.glob(f"{_WORK}*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _LEFT_BEHIND_S:
                path.unlink()
