"""Let people into dialogs whose rows are locked, and tell everybody: the one way in for all use cases."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.correlation import InFlow, same_flow
from messaging.core.domain.dialog import Dialog, MemberStatus
from messaging.core.domain.membership import require_room
from messaging.core.domain.permissions import Role
from messaging.core.usecases.announce_member import announce_member
from messaging.core.usecases.ensure_owner import ensure_owner
from messaging.core.usecases.ports import Tx

Seat = tuple[UUID, Role]


async def admit_members(
    groups: Sequence[tuple[Dialog, Sequence[Seat]]], by: UUID | None, tx: Tx, in_flow: InFlow = same_flow
) -> None:
    """Each dialog with the people who come in, none of whom is in yet. Who has ended is left out.

    ``by``: who let them in; None: what the dialog is about did. ``in_flow`` by what the dialogs are about. A dialog of
    many keeps an owner. Raises ``DialogFullError``.
    """
    ended = await tx.endings.ended_among(list({user_id for _, people in groups for user_id, _ in people}))
    seats = [(dialog, user_id, role) for dialog, people in groups for user_id, role in people if user_id not in ended]
    for dialog, _ in groups:
        require_room(dialog, sum(each is dialog for each, _, _ in seats))
    if not seats:
        return
    seated = await tx.dialogs.add_members(seats, tx.now)
    await tx.invites.grant_requests(list(seated), by, tx.now)
    for dialog, user_id, role in seats:
        status = seated[dialog.dialog_id, user_id]
        back = await tx.dialogs.find_member(dialog.dialog_id, user_id) if status is MemberStatus.MUTED else None
        until = back.muted_until if back is not None else None
        with in_flow(dialog.entity_id):
            announce_member(dialog, user_id, tx, role=role, status=status, by=by, muted_until=until)
        tx.accounts.change(user_id, "dialog.added", dialog_id=dialog.dialog_id)
    for dialog, _ in groups:
        with in_flow(dialog.entity_id):
            await ensure_owner(dialog, tx, came=[user_id for each, user_id, _ in seats if each is dialog])
