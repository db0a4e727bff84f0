"""Invites to dialogs: links that let in whoever has one."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from kernel.errors import DomainError, Kind

TOKEN_BYTES: Final = 18


class InviteInvalidError(DomainError):
    code, kind = "messaging.invite.invalid", Kind.NOT_FOUND
    title = "The invite does not exist, is used up, or is no longer valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteRow:
    """An invite without its token."""

    invite_id: UUID
    dialog_id: UUID
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    uses_max: int | None
    uses: int = 0
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it may be used once more."""
        open_ = self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
        return open_ and (self.uses_max is None or self.uses < self.uses_max)


def new_token() -> str:
    """144 random bits, fit for a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()
