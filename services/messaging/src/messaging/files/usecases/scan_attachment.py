"""Give a verdict on an uploaded file: what it is, whether it is harmless; make its thumbnails. Fails closed.

A file that was clean is looked at once more later; a verdict that comes late takes it back from everybody at once.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

from kernel.backoff import BackoffPolicy
from messaging.core.domain.attachment import PICTURES, Attachment
from messaging.files.domain.upload import NO_DRAWING, Drawing, type_mismatch
from messaging.files.usecases.announce_attachment import announce_attachment
from messaging.files.usecases.ports import Begin, FileTools
from messaging.files.usecases.retract_attachment import RetractAttachment, retract_attachment
from objects.pictures import PictureRefusedError
from objects.scanner import ScannerUnavailableError
from objects.store import StoreUnavailableError

RESCAN_AFTER: Final = timedelta(hours=1)
RETRY: Final = BackoffPolicy(first_s=0.5, cap_s=300.0)


async def scan_attachment(attachment: Attachment, begin: Begin, tools: FileTools) -> None:
    """Whatever happens in between, the file stays unavailable until a verdict is committed.

    The file is read outside of any transaction. Without a verdict it is put off.
    """
    try:
        async with tools.objects.local(str(attachment.attachment_id), attachment.size_bytes) as path:
            await _decide(attachment, path, begin, tools)
    except (ScannerUnavailableError, StoreUnavailableError, FileNotFoundError):
        async with begin() as tx:
            again_at = tx.now + timedelta(seconds=RETRY.wait_s(attachment.attempts + 1))
            await tx.attachments.put_off(attachment.attachment_id, again_at)


async def _decide(attachment: Attachment, path: Path, begin: Begin, tools: FileTools) -> None:
    found = await tools.scanner.scan(path)
    if found is not None:
        await _retract(attachment, "infected", found, begin)
    elif attachment.status == "clean":
        await _release(attachment, attachment.sha256 or b"", NO_DRAWING, begin, last=True)
    else:
        await _inspect(attachment, path, begin, tools)


async def _inspect(attachment: Attachment, path: Path, begin: Begin, tools: FileTools) -> None:
    sha256, media_type = await tools.inspector.identify(path)
    mismatch = type_mismatch(attachment.media_type, attachment.purpose, media_type)
    if attachment.sha256_expected not in {None, sha256}:
        mismatch = "is not what its SHA-256 says"
    drawing = NO_DRAWING
    if not mismatch and attachment.purpose in PICTURES:
        try:
            drawing = await tools.inspector.draw(path)
        except PictureRefusedError as refusal:
            mismatch = f"is no picture: {refusal}"
    if mismatch:
        await _retract(attachment, "rejected", mismatch, begin)
        return
    name = str(attachment.attachment_id)
    for width, content in drawing.thumbnails.items():
        await tools.objects.put(f"{name}.{width}", content)
    await tools.objects.put(name, path)
    if not await _release(attachment, sha256, drawing, begin, last=False):
        for key in (name, *(f"{name}.{width}" for width in drawing.thumbnails)):
            await tools.objects.remove(key)


async def _release(attachment: Attachment, sha256: bytes, drawing: Drawing, begin: Begin, *, last: bool) -> bool:
    """False when nobody wants it any more. ``last``: it is not looked at again."""
    async with begin() as tx:
        wanted = await tx.attachments.set_clean(
            attachment.attachment_id,
            sha256=sha256,
            size=drawing.size,
            thumbnails=sorted(drawing.thumbnails),
            again_at=None if last else tx.now + RESCAN_AFTER,
            now=tx.now,
        )
        if wanted and not last:
            announce_attachment(attachment, "clean", tx)
    return wanted


async def _retract(attachment: Attachment, status: str, verdict: str, begin: Begin) -> None:
    async with begin() as tx:
        await retract_attachment(RetractAttachment(attachment=attachment, status=status, verdict=verdict), tx)
