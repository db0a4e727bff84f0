"""An object as an HTTP answer, whole or the part that Range asks for: from a file here, or through us from afar."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from aiohttp import web

from objects.store import ObjectMeta, ObjectStore

CHUNK_BYTES: Final = 1024 * 1024


class RangeRefusedError(Exception):
    """The answer is 416 with these ``headers``; ``reason`` is a sentence for the client's developer."""

    def __init__(self, reason: str, size_bytes: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.headers = {"Content-Range": f"bytes */{size_bytes}", "Accept-Ranges": "bytes"}


async def answer_of(
    request: web.Request, objects: ObjectStore, key: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Raises ``FileNotFoundError``, ``RangeRefusedError``, ``StoreUnavailableError``."""
    meta = await objects.find(key)
    if meta.path is not None:
        if request.if_none_match is None:  # which comes before the range, and may say that nothing is wanted
            _part(request, meta)
        return web.FileResponse(meta.path, headers=headers)
    return await _through(request, objects, key, meta, headers)


async def _through(
    request: web.Request, objects: ObjectStore, key: str, meta: ObjectMeta, headers: Mapping[str, str]
) -> web.StreamResponse:
    """A bounded part is asked for at a time, so a slow reader holds neither memory nor a connection to the store."""
    sent = {**headers, "ETag": meta.etag, "Accept-Ranges": "bytes"}
    if any(each.value in {"*", meta.etag.strip('"')} for each in request.if_none_match or ()):
        return web.Response(status=304, headers=sent)
    part = _part(request, meta)
    start, stop = part or (0, meta.size_bytes)
    sent["Content-Length"] = str(stop - start)
    if part is not None:
        sent["Content-Range"] = f"bytes {start}-{stop - 1}/{meta.size_bytes}"
    # The first is here before anything is answered: what hinders it is still a problem document.
    first = await objects.read(key, meta, start, min(start + CHUNK_BYTES, stop)) if stop > start else b""

    async def chunks() -> AsyncIterator[bytes]:
        yield first
        for begin in range(start + CHUNK_BYTES, stop, CHUNK_BYTES):
            yield await objects.read(key, meta, begin, min(begin + CHUNK_BYTES, stop))

    return web.Response(status=200 if part is None else 206, headers=sent, body=chunks())


def _part(request: web.Request, meta: ObjectMeta) -> tuple[int, int] | None:
    """From, and up to; None for the whole. Raises ``RangeRefusedError`` for what cannot be given."""
    condition = request.headers.get("If-Range")
    if "Range" not in request.headers or (condition is not None and condition != meta.etag):
        return None
    try:
        wanted = request.http_range
    except ValueError:
        raise RangeRefusedError("Range is not bytes=FROM-TO, one part only", meta.size_bytes) from None
    start = wanted.start or 0
    if start < 0:
        return max(0, meta.size_bytes + start), meta.size_bytes
    if start >= meta.size_bytes:
        raise RangeRefusedError("the part begins after the end of the file", meta.size_bytes)
    return start, min(wanted.stop or meta.size_bytes, meta.size_bytes)
