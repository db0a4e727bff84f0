"""Give a ticket for one upload, which comes in pieces (tus 1.0)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kernel.ids import uuid7
from messaging.core.domain.allowance import Allowance
from messaging.core.domain.attachment import Attachment
from messaging.files.domain.upload import UPLOAD_LIFE, UPLOADING_AT_ONCE_MAX, TooManyUploadsError, validate_upload
from messaging.files.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginUpload:
    """``sha256``: what the whole file is compared with, if the sender says."""

    owner_id: UUID
    purpose: str
    file_name: str
    media_type: str
    size_bytes: int
    sha256: bytes | None = None


async def begin_upload(command: BeginUpload, tx: Tx) -> Attachment:
    """The attachment, of which nothing is here yet. Raises what refuses it."""
    validate_upload(command.purpose, command.media_type, command.size_bytes)
    await tx.allowances.hold(command.owner_id, Allowance.UPLOADS)
    if await tx.attachments.uploading_count(command.owner_id) >= UPLOADING_AT_ONCE_MAX:
        raise TooManyUploadsError
    new = Attachment(
        attachment_id=uuid7(),
        owner_id=command.owner_id,
        purpose=command.purpose,
        file_name=command.file_name,
        media_type=command.media_type,
        size_bytes=command.size_bytes,
        sha256_expected=command.sha256,
        created_at=tx.now,
        expires_at=tx.now + UPLOAD_LIFE,
    )
    await tx.attachments.add(new)
    return new
