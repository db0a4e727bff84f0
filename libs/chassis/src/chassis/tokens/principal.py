"""The caller, as the token says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.country import Country


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling. Comes only from a verified token."""

    user_id: UUID
    session_id: UUID
    country: Country
    kyc_tier: int
    roles: frozenset[str]
    token_id: str
    expires_at: datetime
