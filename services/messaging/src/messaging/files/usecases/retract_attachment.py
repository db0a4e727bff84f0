"""Take a file back from everybody."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.core.domain.attachment import Attachment
from messaging.files.usecases.announce_attachment import announce_attachment
from messaging.files.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RetractAttachment:
    """``status``: ``infected`` or ``rejected``. ``verdict``: why, for operators."""

    attachment: Attachment
    status: str
    verdict: str


async def retract_attachment(command: RetractAttachment, tx: Tx) -> None:
    """Nobody gets it from the commit on; every message that shows it changes."""
    attachment_id = command.attachment.attachment_id
    uses = await tx.attachments.messages_with(attachment_id)
    dialogs = await tx.stream.lock_many({dialog_id for dialog_id, _ in uses})
    await tx.attachments.set_status(attachment_id, command.status, command.verdict)
    rows = await tx.messages.messages_at(uses)
    for document in await tx.messages.documents([row for row in rows.values() if row["deleted_at"] is None]):
        dialog = dialogs.get(document["dialog_id"])
        if dialog is not None:
            payload = {"sender_id": document["sender_id"], "version": document["version"]}
            tx.stream.change(
                dialog, "message.edited", message_seq=document["seq"], payload=payload, shown={"message": document}
            )
    announce_attachment(command.attachment, command.status, tx)
