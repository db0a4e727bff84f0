"""Give a verdict on an uploaded file: what it is, whether it is harmless; make its thumbnails. Fails closed.

A file that was clean is looked at once more later; a verdict that comes late takes it back from everybody at once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

import puremagic

from kernel.backoff import BackoffPolicy
from messaging.core.domain.attachment import PICTURES, WIDTHS, Attachment, type_mismatch
from messaging.core.usecases.ports import Tx
from objects.pictures import Pictured, PictureRefusedError, picture
from objects.scanner import ScannerUnavailableError
from objects.store import ObjectStore, StoreUnavailableError

RESCAN_AFTER: Final = timedelta(hours=1)
RETRY: Final = BackoffPolicy(first_s=0.5, cap_s=300.0)
HEAD_BYTES: Final = 64 * 1024


class Scanner(Protocol):
    async def scan(self, path: Path) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """``begin`` opens a transaction; the file is read outside of any."""

    objects: ObjectStore
    scanner: Scanner
    begin: Callable[[], AbstractAsyncContextManager[Tx]]

    async def judge(self, attachment: Attachment) -> None:
        """Whatever happens in between, the file stays unavailable until a verdict is committed."""
        try:
            async with self.objects.local(str(attachment.attachment_id), attachment.size_bytes) as path:
                await self._judge(attachment, path)
        except (ScannerUnavailableError, StoreUnavailableError, FileNotFoundError):
            await self._put_off(attachment)

    async def _judge(self, attachment: Attachment, path: Path) -> None:
        found = await self.scanner.scan(path)
        if found is not None:
            await self._refuse(attachment, "infected", found)
        elif attachment.status == "clean":
            await self._keep(attachment, attachment.sha256 or b"", None, last=True)
        else:
            await self._look(attachment, path)

    async def _look(self, attachment: Attachment, path: Path) -> None:
        sha256, media_type = await asyncio.to_thread(_read, path)
        mismatch = type_mismatch(attachment.media_type, attachment.purpose, media_type)
        if attachment.sha256_expected not in {None, sha256}:
            mismatch = "is not what its SHA-256 says"
        pictured = None
        if not mismatch and attachment.purpose in PICTURES:
            try:
                pictured = await picture(path, WIDTHS)
            except PictureRefusedError as refusal:
                mismatch = f"is no picture: {refusal}"
        if mismatch:
            await self._refuse(attachment, "rejected", mismatch)
            return
        thumbnails = pictured.thumbnails if pictured else {}
        for width, content in thumbnails.items():
            await self.objects.put(f"{attachment.attachment_id}.{width}", content)
        await self.objects.put(str(attachment.attachment_id), path)
        if not await self._keep(attachment, sha256, pictured, last=False):
            for suffix in ("", *(f".{width}" for width in thumbnails)):
                await self.objects.remove(f"{attachment.attachment_id}{suffix}")

    async def _keep(self, attachment: Attachment, sha256: bytes, pictured: Pictured | None, *, last: bool) -> bool:
        """False when nobody wants it any more."""
        async with self.begin() as tx:
            wanted = await tx.attachments.set_clean(
                attachment.attachment_id,
                sha256=sha256,
                size=(pictured.width, pictured.height) if pictured else None,
                thumbnails=sorted(pictured.thumbnails) if pictured else [],
                again_at=None if last else tx.now + RESCAN_AFTER,
                now=tx.now,
            )
            if wanted and not last:
                _tell_owner(attachment, "clean", tx)
        return wanted

    async def _refuse(self, attachment: Attachment, status: str, verdict: str) -> None:
        async with self.begin() as tx:
            await retract(attachment, status, verdict, tx)

    async def _put_off(self, attachment: Attachment) -> None:
        async with self.begin() as tx:
            again_at = tx.now + timedelta(seconds=RETRY.wait_s(attachment.attempts + 1))
            await tx.attachments.put_off(attachment.attachment_id, again_at)


async def retract(attachment: Attachment, status: str, verdict: str, tx: Tx) -> None:
    """Nobody gets it from the commit on; every message that shows it changes."""
    uses = await tx.attachments.messages_with(attachment.attachment_id)
    dialogs = await tx.stream.lock_many({dialog_id for dialog_id, _ in uses})
    await tx.attachments.set_status(attachment.attachment_id, status, verdict)
    rows = await tx.messages.messages_at(uses)
    for document in await tx.messages.documents([row for row in rows.values() if row["deleted_at"] is None]):
        dialog = dialogs.get(document["dialog_id"])
        if dialog is not None:
            payload = {"sender_id": document["sender_id"], "version": document["version"]}
            tx.stream.change(
                dialog, "message.edited", message_seq=document["seq"], payload=payload, shown={"message": document}
            )
    _tell_owner(attachment, status, tx)


def _tell_owner(attachment: Attachment, status: str, tx: Tx) -> None:
    payload = {"attachment_id": attachment.attachment_id, "status": status}
    tx.accounts.change(attachment.owner_id, "attachment.changed", payload=payload)


def _read(path: Path) -> tuple[bytes, str | None]:
    """SHA-256, and what the bytes are."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        digest.update(head)
        while piece := file.read(1024 * 1024):
            digest.update(piece)
    return digest.digest(), sniffed(head)


_MARKUP: Final = ((b"<!doctype html", "text/html"), (b"<html", "text/html"), (b"<svg", "image/svg+xml"))
_BINARIES: Final = (
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"#!", "application/x-sh"),
)


def sniffed(head: bytes) -> str | None:
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
