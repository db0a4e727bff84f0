"""Somebody closes a poll."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from messaging.core.domain.permissions import Act
from messaging.polls.usecases.end_poll import end_poll
from messaging.polls.usecases.load_poll import load_poll
from messaging.polls.usecases.ports import Tx
from messaging.polls.usecases.show_poll import show_poll


async def close_poll(dialog_id: UUID, seq: int, user_id: UUID, tx: Tx) -> dict[str, Any]:
    """The poll as it stands, closed by who made it or by a moderator. Raises ``NotAPollError``."""
    message, poll = await load_poll(dialog_id, seq, user_id, tx)
    if not message.own:
        message.dialog.require(message.member, Act.DELETE_OTHERS, tx.now)
    await end_poll(message.dialog, poll, user_id, tx)
    return await show_poll(poll, user_id, tx)
