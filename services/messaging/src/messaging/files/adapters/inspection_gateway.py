"""Looks at the bytes of files: what they are, and what a picture looks like."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Final

import puremagic

from messaging.files.domain.upload import WIDTHS, Drawing
from objects.pictures import picture

HEAD_BYTES: Final = 64 * 1024
_MARKUP: Final = ((b"<!doctype html", "text/html"), (b"<html", "text/html"), (b"<svg", "image/svg+xml"))
_BINARIES: Final = (
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"#!", "application/x-sh"),
)


class FileInspector:
    """Implements the ``Inspector`` of files."""

    async def identify(self, path: Path) -> tuple[bytes, str | None]:
        return await asyncio.to_thread(_read, path)

    async def draw(self, path: Path) -> Drawing:
        pictured = await picture(path, WIDTHS)
        return Drawing((pictured.width, pictured.height), pictured.thumbnails)


def _read(path: Path) -> tuple[bytes, str | None]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        digest.update(head)
        while piece := file.read(1024 * 1024):
            digest.update(piece)
    return digest.digest(), media_type_of(head)


def media_type_of(head: bytes) -> str | None:
    """The media type that the first bytes show; None when they show none."""
    start = head.lstrip()[:4096].lower()
    for mark, media_type in _MARKUP:
        if start.startswith(mark) or (mark == b"<svg" and start.startswith(b"<?xml") and mark in start):
            return media_type
    for mark, media_type in _BINARIES:
        if head.startswith(mark):
            return media_type
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        # A container of the MP4 family whose brand is not in the list.
        return "video/mp4" if head[4:8] == b"ftyp" else None
    return next((each.mime_type for each in found if each.mime_type), None)
