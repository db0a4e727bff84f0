"""Take a file in pieces: a ticket first, then pieces at offsets, each durable before it is answered (tus 1.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from kernel.ids import uuid7
from messaging.core.adapters.allowance_store import Allowance, hold_allowance
from messaging.core.adapters.attachment_store import (
    add_attachment,
    begin_scan,
    lock_attachment,
    move_offset,
    set_status,
    uploading_count,
)
from messaging.core.adapters.transaction import MessagingTx
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
    tx: MessagingTx,
) -> Attachment:
    """A ticket for one upload. Raises what refuses it."""
    check_wish(purpose, media_type, size_bytes)
    await hold_allowance(tx.conn, owner_id, Allowance.UPLOADS)
    if await uploading_count(tx.conn, owner_id) >= UPLOADING_AT_ONCE_MAX:
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
    await add_attachment(tx.conn, new)
    return new


async def take_piece(
    owner_id: UUID,
    attachment_id: UUID,
    offset: int,
    piece: bytes,
    checksum: str | None,
    *,
    objects: ObjectStore,
    tx: MessagingTx,
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
    await move_offset(tx.conn, attachment_id, after)
    if after == upload.size_bytes:
        await begin_scan(tx.conn, attachment_id, tx.now)
    return after


async def upload_offset(owner_id: UUID, attachment_id: UUID, tx: MessagingTx) -> Attachment:
    """How far it is; a finished one stands at its end."""
    found = await lock_attachment(tx.conn, attachment_id)
    if found is None or found.owner_id != owner_id:
        raise AttachmentNotFoundError
    if found.status in {"expired", "deleted"} or (found.expires_at is not None and found.expires_at < tx.now):
        raise UploadOverError
    return found


async def end_upload(owner_id: UUID, attachment_id: UUID, tx: MessagingTx) -> None:
    """Its bytes go soon after."""
    await _uploading(owner_id, attachment_id, tx)
    await set_status(tx.conn, attachment_id, "deleted")


async def _uploading(owner_id: UUID, attachment_id: UUID, tx: MessagingTx) -> Attachment:
    found = await lock_attachment(tx.conn, attachment_id)
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
