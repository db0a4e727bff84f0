"""Take a file in pieces: a ticket first, then pieces at offsets, each durable before it is answered (tus 1.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from kernel.ids import uuid7
from messaging.core.domain.allowance import Allowance
from messaging.core.domain.attachment import (
    PIECE_BYTES_MAX,
    UPLOAD_LIFE,
    UPLOADING_AT_ONCE_MAX,
    Attachment,
    AttachmentNotFoundError,
    AttachmentStoreUnavailableError,
    PieceInvalidError,
    TooManyUploadsError,
    UploadOffsetError,
    UploadOverError,
    check_wish,
)
from messaging.core.usecases.ports import Tx
from objects.store import ObjectStore, StoreUnavailableError

CHECKSUMS: Final[Mapping[str, str]] = {"sha1": "sha1", "sha256": "sha256", "md5": "md5"}


async def begin_upload(
    owner_id: UUID,
    *,
    purpose: str,
    file_name: str,
    media_type: str,
    size_bytes: int,
    sha256: bytes | None,
    tx: Tx,
) -> Attachment:
    """A ticket for one upload. Raises what refuses it."""
    check_wish(purpose, media_type, size_bytes)
    await tx.allowances.hold(owner_id, Allowance.UPLOADS)
    if await tx.attachments.uploading_count(owner_id) >= UPLOADING_AT_ONCE_MAX:
        raise TooManyUploadsError
    new = Attachment(
        attachment_id=uuid7(),
        owner_id=owner_id,
        purpose=purpose,
        file_name=file_name,
        media_type=media_type,
        size_bytes=size_bytes,
        offset_bytes=0,
        status="uploading",
        sha256=None,
        sha256_expected=sha256,
        width=None,
        height=None,
        thumbnails=(),
        attempts=0,
        created_at=tx.now,
        expires_at=tx.now + UPLOAD_LIFE,
    )
    await tx.attachments.add(new)
    return new


async def take_piece(
    owner_id: UUID,
    attachment_id: UUID,
    offset: int,
    piece: bytes,
    checksum: str | None,
    *,
    objects: ObjectStore,
    tx: Tx,
) -> int:
    """The new offset. The last piece hands the file to the scanner.

    The store is asked while the row is locked: so one of two pieces for an offset wins, on whatever nodes they came.
    The store answers or gives up within seconds, and few pieces are written at once (``App.piece_turns``), so that a
    slow store costs uploads and nothing else.
    """
    upload = await _uploading(owner_id, attachment_id, tx)
    if offset != upload.offset_bytes:
        raise UploadOffsetError(context={"upload_offset": upload.offset_bytes})
    if not 0 < len(piece) <= PIECE_BYTES_MAX or offset + len(piece) > upload.size_bytes:
        raise PieceInvalidError(context={"piece_bytes_max": PIECE_BYTES_MAX})
    if checksum is not None and not _matches(checksum, piece):
        raise PieceInvalidError("the piece is not what Upload-Checksum says")
    try:
        await objects.write(str(attachment_id), offset, piece)
    except StoreUnavailableError as error:
        raise AttachmentStoreUnavailableError(error.reason) from error
    after = offset + len(piece)
    await tx.attachments.move_offset(attachment_id, after)
    if after == upload.size_bytes:
        await tx.attachments.begin_scan(attachment_id, tx.now)
    return after


async def upload_offset(owner_id: UUID, attachment_id: UUID, tx: Tx) -> Attachment:
    """How far it is; a finished one stands at its end."""
    found = await tx.attachments.lock(attachment_id)
    if found is None or found.owner_id != owner_id:
        raise AttachmentNotFoundError
    if found.status in {"expired", "deleted"} or (found.expires_at is not None and found.expires_at < tx.now):
        raise UploadOverError
    return found


async def end_upload(owner_id: UUID, attachment_id: UUID, tx: Tx) -> None:
    """Its bytes go soon after."""
    await _uploading(owner_id, attachment_id, tx)
    await tx.attachments.set_status(attachment_id, "deleted")


async def _uploading(owner_id: UUID, attachment_id: UUID, tx: Tx) -> Attachment:
    found = await tx.attachments.lock(attachment_id)
    if found is None or found.owner_id != owner_id:
        raise AttachmentNotFoundError
    if found.status != "uploading" or (found.expires_at is not None and found.expires_at < tx.now):
        raise UploadOverError
    return found


def _matches(header: str, piece: bytes) -> bool:
    name, _, encoded = header.partition(" ")
    try:
        wanted = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    known = CHECKSUMS.get(name)
    return known is not None and hashlib.new(known, piece, usedforsecurity=False).digest() == wanted
