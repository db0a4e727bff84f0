"""Find an upload for whoever began it, and hold its row."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.attachment import Attachment, AttachmentNotFoundError
from messaging.files.domain.upload import UploadOverError, is_open
from messaging.files.usecases.ports import Tx

_GONE = frozenset({"expired", "deleted"})


async def load_own_upload(owner_id: UUID, attachment_id: UUID, tx: Tx, *, finished: bool = False) -> Attachment:
    """One that takes more pieces; with ``finished`` also one that is whole, which stands at its end.

    Raises ``AttachmentNotFoundError``, also for another's, or ``UploadOverError``.
    """
    found = await tx.attachments.lock(attachment_id)
    if found is None or found.owner_id != owner_id:
        raise AttachmentNotFoundError
    whole = finished and found.status not in _GONE and found.status != "uploading"
    if not whole and not is_open(found, tx.now):
        raise UploadOverError
    return found
