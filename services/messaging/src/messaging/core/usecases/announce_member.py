"""Tell everybody in a dialog of a change in somebody's place in it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from messaging.core.domain.dialog import PRESENT, Dialog, MemberStatus
from messaging.core.domain.permissions import Role
from messaging.core.usecases.ports import Tx


def announce_member(
    dialog: Dialog,
    user_id: UUID,
    tx: Tx,
    *,
    role: Role,
    status: MemberStatus,
    by: UUID | None,
    muted_until: datetime | None = None,
) -> int:
    """The change in the stream, with all that members see of each other's place; returns its seq."""
    return tx.stream.change(
        dialog,
        "member.changed",
        actor_id=by,
        payload={
            "member": {"user_id": user_id, "role": role.value, "status": status.value, "muted_until": muted_until}
        },
        subject_id=user_id,
        ended=status not in PRESENT,
    )
