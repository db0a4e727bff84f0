"""Mark a person's notifications as read: some by id, or all up to a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notification.usecases.ports import NotificationTx


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRead:
    """Either ``ids``, or everything created until ``up_to``."""

    user_id: UUID
    now: datetime
    ids: Sequence[UUID] = ()
    up_to: datetime | None = None


async def mark_read(cmd: MarkRead, tx: NotificationTx) -> int:
    """Returns how many became read now; ids of others, unknown or read already, are passed over."""
    if cmd.up_to is not None:
        return await tx.notifications.mark_all_read(cmd.user_id, up_to=cmd.up_to, at=cmd.now)
    return await tx.notifications.mark_read(cmd.user_id, cmd.ids, at=cmd.now)
