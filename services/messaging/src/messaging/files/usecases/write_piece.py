"""Take a piece of an upload at its offset: durable before it is answered (tus 1.0)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.attachment import AttachmentStoreUnavailableError
from messaging.files.domain.upload import validate_piece
from messaging.files.usecases.load_own_upload import load_own_upload
from messaging.files.usecases.ports import Tx
from objects.store import ObjectStore, StoreUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePiece:
    """``offset``: where in the file it begins. ``checksum``: tus' ``Upload-Checksum``."""

    owner_id: UUID
    attachment_id: UUID
    offset: int
    piece: bytes
    checksum: str | None = None


async def write_piece(command: WritePiece, tx: Tx, objects: ObjectStore) -> int:
    """The new offset. The last piece hands the file to the scanner.

    The store is asked while the row is locked: so one of two pieces for an offset wins, on whatever nodes they came.
    The store answers or gives up within seconds, and few pieces are written at once (``App.piece_turns``), so that a
    slow store costs uploads and nothing else.
    """
    upload = await load_own_upload(command.owner_id, command.attachment_id, tx)
    validate_piece(upload, command.offset, command.piece, command.checksum)
    try:
        await objects.write(str(command.attachment_id), command.offset, command.piece)
    except StoreUnavailableError as error:
        raise AttachmentStoreUnavailableError(error.reason) from error
    after = command.offset + len(command.piece)
    await tx.attachments.move_offset(command.attachment_id, after)
    if after == upload.size_bytes:
        await tx.attachments.begin_scan(command.attachment_id, tx.now)
    return after
