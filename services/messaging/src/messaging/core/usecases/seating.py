"""Let people into a dialog whose row is locked, or out of it, and tell everybody: the one way for all use cases.

Whoever comes or goes, a dialog of many keeps an owner. What a membership allowed ends with it: their invites by link
let nobody in, what they scheduled there is not sent, what they began to write there is thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.correlation import InFlow, same_flow
from messaging.core.domain.dialog import Dialog, DialogNotFoundError, MemberStatus
from messaging.core.domain.membership import require_room
from messaging.core.domain.permissions import Role
from messaging.core.usecases.owning import keep_owned
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.telling import tell_member
from messaging.core.usecases.throw_draft_away import throw_draft_away

Seat = tuple[UUID, Role]


async def seat(dialog: Dialog, people: Sequence[Seat], by: UUID | None, tx: Tx) -> None:
    """None of them is in yet. Raises ``DialogFullError``."""
    await seat_all([(dialog, people)], by, tx)


async def seat_all(
    groups: Sequence[tuple[Dialog, Sequence[Seat]]], by: UUID | None, tx: Tx, in_flow: InFlow = same_flow
) -> None:
    """``seat`` in several dialogs at once. ``in_flow`` by what they are about. Who has ended gets no seat."""
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
            tell_member(dialog, user_id, tx, role=role, status=status.value, by=by, muted_until=until)
        tx.accounts.change(user_id, "dialog.added", dialog_id=dialog.dialog_id)
    for dialog, _ in groups:
        with in_flow(dialog.entity_id):
            await keep_owned(dialog, tx, came=[user_id for each, user_id, _ in seats if each is dialog])


async def unseat(dialog: Dialog, user_id: UUID, status: MemberStatus, by: UUID | None, tx: Tx) -> None:
    """They are in no longer, ``status`` says how."""
    seq = tell_member(dialog, user_id, tx, role=Role.MEMBER, status=status.value, by=by)
    await tx.members.end_membership(dialog, user_id, status, seq=seq)
    await end_acts(dialog, user_id, by, tx)
    tx.accounts.change(user_id, "dialog.removed", dialog_id=dialog.dialog_id, payload={"reason": status.value})
    await keep_owned(dialog, tx)


async def end_acts(dialog: Dialog, user_id: UUID, by: UUID | None, tx: Tx) -> None:
    """What they had begun here as a member, or to become one, does not go on."""
    failure = DialogNotFoundError.code
    failed = await tx.endings.end_acts_of_member(dialog.dialog_id, user_id, by=by, now=tx.now, failure_code=failure)
    for scheduled_id in failed:
        told = {"scheduled_id": scheduled_id, "status": "failed", "failure_code": failure, "seq": None}
        tx.accounts.change(user_id, "scheduled.changed", dialog_id=dialog.dialog_id, payload=told)
    await throw_draft_away(dialog.dialog_id, user_id, tx)
