"""Come into a dialog by an invite."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.dialog import Dialog
from messaging.core.domain.invite import InviteInvalidError, token_hash
from messaging.core.domain.permissions import Act
from messaging.core.usecases.join_dialog import Joined, join_dialog
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinByInvite:
    """``message``: for whoever decides, where somebody has to agree."""

    token: str
    user_id: UUID
    message: str = ""


async def join_by_invite(command: JoinByInvite, tx: Tx) -> tuple[UUID, Joined]:
    """The dialog's id, and how they are in it. Raises ``InviteInvalidError``.

    MSG-9: an invite is counted with the seat it gave or the request it made, never more often than it says. Somebody
    who asks again while they wait, or after they were declined, has made that request already.
    """
    hashed = token_hash(command.token)
    found = await tx.invites.find(hashed)
    if found is None:
        raise InviteInvalidError
    dialog = await tx.stream.lock(found.dialog_id)
    found = await tx.invites.find(hashed)
    if found is None or not found.is_valid(tx.now) or not await _may_invite(dialog, found.created_by, tx):
        raise InviteInvalidError
    how, counts = await join_dialog(dialog, command.user_id, command.message, tx)
    if counts:
        await tx.invites.count_use(found.invite_id)
    return dialog.dialog_id, how


async def _may_invite(dialog: Dialog, user_id: UUID, tx: Tx) -> bool:
    """A link is the permission of whoever made it: it is worth nothing once they are out, gone, or may no longer."""
    member = await tx.dialogs.find_member(dialog.dialog_id, user_id)
    if member is None or not member.present or await tx.endings.ended_among([user_id]):
        return False
    return dialog.allows(member, Act.INVITE)
