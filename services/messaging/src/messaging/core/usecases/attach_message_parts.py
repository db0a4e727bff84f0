"""Tie what hangs on messages to them once they are stored."""

from __future__ import annotations

from collections.abc import Sequence

from messaging.core.domain.message import SendMessage
from messaging.core.domain.message_parts import MessageParts, attached_ids, named_entity
from messaging.core.domain.poll import Poll
from messaging.core.usecases.ports import Tx


async def attach_message_parts(stored: Sequence[tuple[SendMessage, int, MessageParts]], tx: Tx) -> None:
    """Each message with its seq and the parts that were found for it."""
    polls = [_stored_poll(command, seq, parts) for command, seq, parts in stored if "poll" in parts.fields]
    if polls:
        await tx.polls.add(polls)
    cards = [
        (*named_entity(command), command.dialog_id, seq) for command, seq, parts in stored if "card" in parts.fields
    ]
    if cards:
        await tx.entities.tie_cards(cards)
    uses = [
        (each, command.dialog_id, seq, place)
        for command, seq, parts in stored
        if "attachments" in parts.fields
        for place, each in enumerate(attached_ids(command.content))
    ]
    if uses:
        await tx.attachments.tie(uses)


def _stored_poll(command: SendMessage, seq: int, parts: MessageParts) -> Poll:
    shown = parts.fields["poll"]
    return Poll(
        dialog_id=command.dialog_id,
        seq=seq,
        options=len(shown["votes"]),
        multiple=shown["multiple"],
        anonymous=shown["anonymous"],
        closes_at=shown["closes_at"],
    )
