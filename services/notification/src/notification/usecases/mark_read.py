"""Mark a person's notifications as read: some by id, or all up to a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notification.domain.ids import NotificationId, UserId
from notification.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRead:
    """Either ``ids``, or everything created until ``up_to``."""

    user_id: UserId
    ids: Sequence[NotificationId] = ()
    up_to: datetime | None = None


async def mark_read(command: MarkRead, tx: Tx) -> int:
    """Returns how many became read now; ids of others, unknown or read already, are passed over."""
    if command.up_to is not None:
        return await tx.notifications.mark_all_read(command.user_id, up_to=command.up_to, at=tx.now)
    return await tx.notifications.mark_read(command.user_id, command.ids, at=tx.now)
