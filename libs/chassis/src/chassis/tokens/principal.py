"""The caller, as the token says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.country import Country


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling. Comes only from a verified token.

    ``access_epoch``: how often everything that could act for the person was ended before this session began; None in
    a token of a version that did not say it.
    """

    user_id: UUID
    session_id: UUID
    country: Country
    kyc_tier: int
    roles: frozenset[str]
    access_epoch: int | None
    token_id: str
    expires_at: datetime
