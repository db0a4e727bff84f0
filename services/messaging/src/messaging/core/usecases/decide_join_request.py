"""Let somebody in who asked to join, or decline."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.errors import DomainError, Kind
from messaging.core.domain.commands import MemberCommand
from messaging.core.domain.membership import require_joinable
from messaging.core.domain.permissions import Act, Role
from messaging.core.usecases.admit_members import admit_members
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.ports import Tx


class JoinRequestNotFoundError(DomainError):
    code, kind = "messaging.join_request.not_found", Kind.NOT_FOUND
    title = "There is no such request to join"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideJoinRequest(MemberCommand):
    approved: bool


async def decide_join_request(command: DecideJoinRequest, tx: Tx) -> None:
    """Deciding the same again changes nothing; what was decided otherwise is no request any more."""
    dialog, _ = await load_dialog_for(tx, command.dialog_id, command.by, Act.MANAGE_MEMBERS)
    member = await tx.dialogs.find_member(command.dialog_id, command.user_id)
    if command.approved:
        require_joinable(member)
    was = await tx.invites.decide_request(
        *(command.dialog_id, command.user_id), approved=command.approved, by=command.by, now=tx.now
    )
    if was == ("approved" if command.approved else "declined"):
        return
    if was != "pending":
        raise JoinRequestNotFoundError
    if command.approved and (member is None or not member.present):
        await admit_members([(dialog, [(command.user_id, Role.MEMBER)])], command.by, tx)
