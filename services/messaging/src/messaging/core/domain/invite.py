"""Invitations to dialogs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteRow:
    """An invite without its token."""

    invite_id: UUID
    dialog_id: UUID
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    uses_max: int | None
    uses: int
    revoked_at: datetime | None
