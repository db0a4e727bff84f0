"""Record what auth says of a person: their name, language and addresses."""

from __future__ import annotations

from dataclasses import dataclass

from notification.domain.recipient import Recipient
from notification.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRecipient:
    """``version`` is auth's own of this person: an older one changes nothing."""

    recipient: Recipient
    version: int


async def record_recipient(command: RecordRecipient, tx: Tx) -> None:
    await tx.recipients.put(command.recipient, version=command.version)
