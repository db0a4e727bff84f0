"""Which key signs, which are published, and when the next takes over.

Invariants: AUTH-10: a key is published at least ``LEAD`` before it signs (the first key of all excepted).
AUTH-11: a key stays published until the last token it signed has expired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from auth.domain.session import ACCESS_TOKEN_LIFETIME
from kernel.errors import DomainError, Kind

LEAD: Final = timedelta(minutes=15)  # longer than any verifier keeps a copy of the key set
PERIOD: Final = timedelta(days=30)
KEPT_AFTER: Final = ACCESS_TOKEN_LIFETIME + timedelta(minutes=5)


class NoSigningKeyError(DomainError):
    code, kind = "auth.signing_key.missing", Kind.UNAVAILABLE
    title = "No key can sign right now"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The public half with its timeline; ``published_until`` is None while nothing follows it."""

    kid: str
    public_jwk: dict[str, str]
    created_at: datetime
    signs_from: datetime
    published_until: datetime | None = None


def signing(keys: Sequence[SigningKey], now: datetime) -> SigningKey:
    """The newest key whose time has come."""
    ready = [key for key in keys if key.signs_from <= now]
    if not ready:
        raise NoSigningKeyError
    return max(ready, key=lambda key: key.signs_from)


def published(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """What the key set shows: past keys with living tokens, the present one and the next."""
    shown = [key for key in keys if key.published_until is None or key.published_until > now]
    return sorted(shown, key=lambda key: key.signs_from)


def successor(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The key that waits for its turn."""
    return next((key for key in published(keys, now) if key.signs_from > now), None)


def earliest_start(waiting: SigningKey, now: datetime) -> datetime:
    """The first moment the waiting key may sign (AUTH-10)."""
    return max(now, waiting.created_at + LEAD)


def planned_start(predecessor: SigningKey, now: datetime) -> datetime:
    """When a key created now takes over by itself: a period after the one before it began."""
    return max(now + LEAD, predecessor.signs_from + PERIOD)


def published_until(successor_signs_from: datetime) -> datetime:
    """When a key that is followed at the given time leaves the key set (AUTH-11)."""
    return successor_signs_from + KEPT_AFTER
