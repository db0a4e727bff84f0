"""A person let others see or do other things than before: from the moment they said so, not from when it came here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from messaging.core.domain.stream import PresenceVisibilityChanged
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowPrivacy:
    """As auth tells it. ``since``: when they said so. An older ``version`` never replaces a newer."""

    user_id: UUID
    version: int
    presence_to: str
    direct_from: str
    read_receipts: bool
    since: datetime


async def follow_privacy(command: FollowPrivacy, tx: Tx) -> None:
    """What they read after they had switched receipts off is not told, though it was not known here yet."""
    if not command.read_receipts:
        await tx.cursors.hold_cursors_of(command.user_id)
    news = await tx.people.set_privacy(
        command.user_id,
        command.version,
        presence_to=command.presence_to,
        direct_from=command.direct_from,
        receipts=command.read_receipts,
    )
    if news and not command.read_receipts:
        await tx.cursors.untell_reads(command.user_id, command.since)
    tx.hints.visibility_changed(PresenceVisibilityChanged(command.user_id))
