"""Call a scheduled message back."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.message import ScheduledNotFoundError
from messaging.core.usecases.announce_scheduled import announce_scheduled
from messaging.scheduling.usecases.ports import Tx


async def cancel_scheduled(scheduled_id: UUID, user_id: UUID, tx: Tx) -> None:
    """Nobody gets it from the commit on. Raises ``ScheduledNotFoundError`` for one that does not wait."""
    dialog_id = await tx.scheduled.cancel(scheduled_id, user_id)
    if dialog_id is None:
        raise ScheduledNotFoundError
    announce_scheduled(user_id, dialog_id, tx, scheduled_id=scheduled_id, status="cancelled")
