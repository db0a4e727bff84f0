"""Let people into a dialog whose row is locked, and tell everybody: the one way in for all use cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kernel.correlation import InFlow, same_flow
from messaging.adapters.dialog_store import add_members, find_member
from messaging.adapters.transaction import MessagingTx
from messaging.domain.dialog import Dialog, MemberStatus
from messaging.domain.membership import require_room
from messaging.domain.permissions import Role

Seat = tuple[UUID, Role]


async def seat(dialog: Dialog, people: Sequence[Seat], by: UUID | None, tx: MessagingTx) -> None:
    """None of them is in yet. Raises ``DialogFullError``."""
    await seat_all([(dialog, people)], by, tx)


async def seat_all(
    groups: Sequence[tuple[Dialog, Sequence[Seat]]], by: UUID | None, tx: MessagingTx, in_flow: InFlow = same_flow
) -> None:
    """``seat`` in several dialogs at once. ``in_flow`` by what they are about."""
    for dialog, people in groups:
        require_room(dialog, len(people))
    seats = [(dialog, user_id, role) for dialog, people in groups for user_id, role in people]
    if not seats:
        return
    seated = await add_members(tx.conn, seats, tx.now)
    for dialog, user_id, role in seats:
        status = seated[dialog.dialog_id, user_id]
        back = await find_member(tx.conn, dialog.dialog_id, user_id) if status is MemberStatus.MUTED else None
        until = back.muted_until if back is not None else None
        with in_flow(dialog.entity_id):
            tell_member(dialog, user_id, tx, role=role, status=status.value, by=by, muted_until=until)
        tx.accounts.change(user_id, "dialog.added", dialog_id=dialog.dialog_id)


def tell_member(
    dialog: Dialog,
    user_id: UUID,
    tx: MessagingTx,
    *,
    role: Role,
    status: str,
    by: UUID | None,
    muted_until: datetime | None = None,
) -> int:
    """The change in the stream, with all that members see of each other's place; returns its seq."""
    return tx.stream.change(
        dialog,
        "member.changed",
        actor_id=by,
        payload={
            "member": {"user_id": user_id, "role": role.value, "status": status, "muted_until": muted_until},
        },
        subject_id=user_id,
        ended=status in {"left", "removed", "banned"},
    )
