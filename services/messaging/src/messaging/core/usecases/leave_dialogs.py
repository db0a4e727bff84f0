"""Take somebody who is gone out of their dialogs: the owner's place passes to another, so every dialog goes on."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from messaging.core.domain.dialog import MemberStatus
from messaging.core.usecases.end_membership import end_membership
from messaging.core.usecases.ports import Begin, Tx

_FIRST: Final = UUID(int=0)


async def leave_dialogs(begin: Begin, user_id: UUID, limit: int) -> bool:
    """Out of at most ``limit``, each in a transaction of its own. Whether there may be more."""
    async with begin() as tx:
        dialogs = await tx.members.dialogs_of(user_id, _FIRST, limit, present=True)
    for dialog_id in dialogs:
        async with begin() as tx:
            await _leave(dialog_id, user_id, tx)
    return len(dialogs) == limit


async def _leave(dialog_id: UUID, user_id: UUID, tx: Tx) -> None:
    dialog = await tx.stream.lock(dialog_id)
    member = await tx.dialogs.find_member(dialog_id, user_id)
    if member is None or not member.present:
        return
    await end_membership(dialog, user_id, MemberStatus.LEFT, None, tx)
