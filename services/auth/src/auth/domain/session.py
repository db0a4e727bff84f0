"""A session: one device that signed in, until it is revoked or its absolute end.

Invariants: AUTH-8: a refresh never moves the absolute end. AUTH-9: a revoked session never lives again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from auth.domain.ids import SessionId, UserId
from kernel.errors import DomainError, Kind
from kernel.reasons import Reason

ABSOLUTE_LIFETIME: Final = timedelta(days=60)
IDLE_LIFETIME: Final = timedelta(days=30)
ACCESS_TOKEN_LIFETIME: Final = timedelta(minutes=15)
REVOCATION_KEPT: Final = timedelta(minutes=20)  # longer than any access token lives


class InvalidCredentialsError(DomainError):
    """One answer for an unknown account, no password and a wrong password."""

    code, kind = "auth.credentials.invalid", Kind.UNAUTHENTICATED
    title = "The sign-in details are wrong"


class RefreshTokenInvalidError(DomainError):
    code, kind = "auth.refresh_token.invalid", Kind.UNAUTHENTICATED
    title = "The refresh token is not valid: sign in again"


class RefreshTokenReusedError(DomainError):
    code, kind = "auth.refresh_token.reused", Kind.UNAUTHENTICATED
    title = "The refresh token was used before: the session was ended to protect it"


class SessionNotFoundError(DomainError):
    code, kind = "auth.session.not_found", Kind.NOT_FOUND
    title = "There is no such session"


class SignInMethod(StrEnum):
    PASSWORD = "password"  # noqa: S105 -- a method, not a password
    OTP = "otp"


class RevocationReason(Reason):
    LOGOUT = "logout"
    REVOKED_BY_USER = "revoked_by_user"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105 -- a reason
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 -- a reason
    CONTACT_PROVED = "contact_proved"
    ROLES_CHANGED = "roles_changed"
    USER_DELETED = "user_deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from: what limits and the security log go by."""

    ip: str | None
    device_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the device list shows."""

    id: SessionId
    user_id: UserId
    method: SignInMethod
    device_name: str
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRevoked:
    user_id: UserId
    session_id: SessionId
    reason: RevocationReason
    revoked_at: datetime


SessionEvent = SessionStarted | SessionRevoked


def start(
    *, session_id: SessionId, user_id: UserId, method: SignInMethod, device_name: str, now: datetime
) -> tuple[Session, SessionStarted]:
    """A new device, with its absolute end (AUTH-8)."""
    session = Session(
        id=session_id,
        user_id=user_id,
        method=method,
        device_name=device_name,
        started_at=now,
        last_used_at=now,
        expires_at=now + ABSOLUTE_LIFETIME,
    )
    return session, SessionStarted(session=session)
