"""A poll as somebody sees it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.poll import Poll
from messaging.polls.usecases.ports import Tx


async def show_poll(poll: Poll, user_id: UUID, tx: Tx) -> dict[str, Any]:
    """The figures, and the person's own votes."""
    found = await tx.polls.shown([(poll.dialog_id, poll.seq)], user_id)
    if not found:
        raise MessageNotFoundError
    return found[poll.dialog_id, poll.seq]
