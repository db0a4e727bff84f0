"""Load the place of somebody who is in a dialog, to change it."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Membership
from messaging.core.domain.membership import MemberNotFoundError
from messaging.core.usecases.ports import Tx


async def load_present_member(dialog_id: UUID, user_id: UUID, tx: Tx) -> Membership:
    """Raises ``MemberNotFoundError`` for who is not in, or has ended."""
    member = await tx.dialogs.find_member(dialog_id, user_id)
    if member is None or not member.present or await tx.endings.ended_among([user_id]):
        raise MemberNotFoundError
    return member
