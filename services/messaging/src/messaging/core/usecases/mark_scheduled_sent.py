"""A scheduled message is marked as sent in the commit that stores it (MSG-12)."""

from __future__ import annotations

from collections.abc import Sequence

from messaging.core.domain.message import SendMessage
from messaging.core.usecases.announce_scheduled import announce_scheduled
from messaging.core.usecases.ports import Tx


async def mark_scheduled_sent(stored: Sequence[tuple[SendMessage, int]], tx: Tx) -> None:
    """These, which are held, are stored at these seqs in this transaction."""
    if not stored:
        return
    await tx.waiting_sends.mark_sent([(command.client_message_id, seq) for command, seq in stored])
    for command, seq in stored:
        announce_scheduled(
            *(command.sender_id, command.dialog_id, tx),
            status="sent",
            scheduled_id=command.client_message_id,
            failure_code="",
            seq=seq,
        )
