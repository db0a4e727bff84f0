"""Tell the owner's devices what became of a file."""

from __future__ import annotations

from messaging.core.domain.attachment import Attachment
from messaging.files.usecases.ports import Tx


def announce_attachment(attachment: Attachment, status: str, tx: Tx) -> None:
    payload = {"attachment_id": attachment.attachment_id, "status": status}
    tx.accounts.change(attachment.owner_id, "attachment.changed", payload=payload)
