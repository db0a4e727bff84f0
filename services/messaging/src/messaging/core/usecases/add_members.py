"""Add people to a dialog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.commands import DialogCommand
from messaging.core.domain.dialog import MemberStatus, PeopleUnknownError
from messaging.core.domain.membership import require_shared
from messaging.core.domain.permissions import Act, Role
from messaging.core.usecases.admit_members import admit_members
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMembers(DialogCommand):
    user_ids: Sequence[UUID]


async def add_members(command: AddMembers, tx: Tx) -> None:
    """Who is in already stays as they are.

    Somebody banned, or who blocks the one who adds, or does not want to be written to by them, cannot be added: who
    does not want that may come in by an invite.
    """
    dialog, _ = await load_dialog_for(tx, command.dialog_id, command.by, Act.INVITE)
    require_shared(dialog)
    fresh = []
    for user_id in dict.fromkeys(command.user_ids):
        member = await tx.dialogs.find_member(command.dialog_id, user_id)
        if member is not None and member.status is MemberStatus.BANNED:
            raise PeopleUnknownError(pointer="/user_ids")
        if member is None or not member.present:
            fresh.append(user_id)
    refused = await tx.contacts.unreachable(command.by, fresh, respect_privacy=True)
    if refused.unknown or refused.blocked:
        raise PeopleUnknownError(pointer="/user_ids")
    await admit_members([(dialog, [(each, Role.MEMBER) for each in fresh])], command.by, tx)
