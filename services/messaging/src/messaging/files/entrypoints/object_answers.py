"""An object as an HTTP answer, whole or the part that Range asks for: from a file here, or through us from afar."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import ClassVar, Final

from aiohttp import web

from chassis.errors import RequestError
from kernel.errors import Kind
from messaging.files.adapters.object_store import Kept, ObjectStore

CHUNK_BYTES: Final = 1024 * 1024


class RangeNotSatisfiableError(RequestError):
    code, kind, status = "messaging.attachment.range_not_satisfiable", Kind.INVALID, 416
    title: ClassVar[str] = "The file has no such part"


async def answer_of(
    request: web.Request, objects: ObjectStore, key: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Raises ``FileNotFoundError``, ``RangeNotSatisfiableError``."""
    kept = await objects.find(key)
    if kept.path is not None:
        if request.if_none_match is None:  # which comes before the range, and may say that nothing is wanted
            _part(request, kept)
        return web.FileResponse(kept.path, headers=headers)
    return await _through(request, objects, key, kept, headers)


async def _through(
    request: web.Request, objects: ObjectStore, key: str, kept: Kept, headers: Mapping[str, str]
) -> web.StreamResponse:
    """A bounded part is asked for at a time, so a slow reader holds neither memory nor a connection to the store."""
    told = {**headers, "ETag": kept.etag, "Accept-Ranges": "bytes"}
    if any(each.value in {"*", kept.etag.strip('"')} for each in request.if_none_match or ()):
        return web.Response(status=304, headers=told)
    part = _part(request, kept)
    start, stop = part or (0, kept.size_bytes)
    told["Content-Length"] = str(stop - start)
    if part is not None:
        told["Content-Range"] = f"bytes {start}-{stop - 1}/{kept.size_bytes}"
    # The first is here before anything is answered: what hinders it is still a problem document.
    first = await objects.read(key, kept, start, min(start + CHUNK_BYTES, stop)) if stop > start else b""

    async def chunks() -> AsyncIterator[bytes]:
        yield first
        for begin in range(start + CHUNK_BYTES, stop, CHUNK_BYTES):
            yield await objects.read(key, kept, begin, min(begin + CHUNK_BYTES, stop))

    return web.Response(status=200 if part is None else 206, headers=told, body=chunks())


def _part(request: web.Request, kept: Kept) -> tuple[int, int] | None:
    """From, and up to; None for the whole. Raises ``RangeNotSatisfiableError`` for what cannot be given."""
    condition = request.headers.get("If-Range")
    if "Range" not in request.headers or (condition is not None and condition != kept.etag):
        return None
    try:
        wanted = request.http_range
    except ValueError:
        raise _not_there(kept, "Range is not bytes=FROM-TO, one part only") from None
    start = wanted.start or 0
    if start < 0:
        return max(0, kept.size_bytes + start), kept.size_bytes
    if start >= kept.size_bytes:
        raise _not_there(kept, "the part begins after the end of the file")
    return start, min(wanted.stop or kept.size_bytes, kept.size_bytes)


def _not_there(kept: Kept, why: str) -> RangeNotSatisfiableError:
    told = {"Content-Range": f"bytes */{kept.size_bytes}", "Accept-Ranges": "bytes"}
    return RangeNotSatisfiableError(why, headers=told)
