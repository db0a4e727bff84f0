"""Find the poll that somebody acts on, under the lock of its dialog."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.permissions import Act
from messaging.core.domain.poll import Poll
from messaging.core.usecases.load_message_for import LoadedMessage, load_message_for
from messaging.polls.domain.vote import NotAPollError
from messaging.polls.usecases.ports import Tx


async def load_poll(dialog_id: UUID, seq: int, user_id: UUID, tx: Tx) -> tuple[LoadedMessage, Poll]:
    """Raises what ``load_message_for`` does, and ``NotAPollError``."""
    message = await load_message_for(tx, dialog_id, seq, user_id, Act.REACT)
    poll = await tx.polls.find(dialog_id, seq)
    if poll is None:
        raise NotAPollError
    return message, poll
