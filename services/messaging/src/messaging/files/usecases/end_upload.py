"""End an upload that is not whole."""

from __future__ import annotations

from uuid import UUID

from messaging.files.usecases.load_own_upload import load_own_upload
from messaging.files.usecases.ports import Tx


async def end_upload(owner_id: UUID, attachment_id: UUID, tx: Tx) -> None:
    """Its bytes go soon after. Raises ``AttachmentNotFoundError`` or ``UploadOverError``."""
    await load_own_upload(owner_id, attachment_id, tx)
    await tx.attachments.set_status(attachment_id, "deleted")
