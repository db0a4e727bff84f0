"""Revoke an invite: nobody comes in by it any more; who came in stays."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.commands import DialogCommand
from messaging.core.domain.invite import InviteInvalidError
from messaging.core.domain.permissions import Act
from messaging.core.usecases.load_dialog_of_member import load_dialog_of_member
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeInvite(DialogCommand):
    invite_id: UUID


async def revoke_invite(command: RevokeInvite, tx: Tx) -> None:
    """Another's as who manages members, one's own always. Raises ``InviteInvalidError`` where there is none."""
    dialog, member = await load_dialog_of_member(tx, command.dialog_id, command.by)
    made_by = await tx.invites.maker_of_invite(command.dialog_id, command.invite_id)
    if made_by != command.by:
        dialog.require(member, Act.MANAGE_MEMBERS, tx.now)
    if made_by is None:
        raise InviteInvalidError
    await tx.invites.revoke(command.dialog_id, command.invite_id, tx.now)
