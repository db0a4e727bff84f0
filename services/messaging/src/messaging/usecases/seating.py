"""Let people into a dialog whose row is locked, and tell everybody: the one way in for all use cases."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from messaging.adapters.dialog_store import add_members
from messaging.adapters.transaction import MessagingTx
from messaging.domain.dialog import Dialog
from messaging.domain.membership import require_room
from messaging.domain.permissions import Role

Seat = tuple[UUID, Role]


async def seat(dialog: Dialog, people: Sequence[Seat], by: UUID | None, tx: MessagingTx) -> None:
    """None of them is in yet. Raises ``DialogFullError``."""
    if not people:
        return
    require_room(dialog, len(people))
    await add_members(tx.conn, dialog, people, tx.now)
    for user_id, role in people:
        tell_member(dialog, user_id, tx, role=role, status="active", by=by)
        tx.accounts.change(user_id, "dialog.added", dialog_id=dialog.dialog_id)


def tell_member(dialog: Dialog, user_id: UUID, tx: MessagingTx, *, role: Role, status: str, by: UUID | None) -> int:
    """The change in the stream; returns its seq."""
    return tx.stream.change(
        dialog,
        "member.changed",
        actor_id=by,
        payload={"member": {"user_id": user_id, "role": role.value, "status": status}},
        subject_id=user_id,
        ended=status in {"left", "removed", "banned"},
    )
