"""One-time codes: what each is for, how long it lives, and how often it may be guessed.

Invariants: AUTH-5: a code works once. AUTH-6: at most five guesses are ever compared with it.
AUTH-7: it lives ten minutes at most. AUTH-4 (``user.py``): it ends with the token version it was asked for under.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from auth.domain.ids import OtpId, UserId
from kernel.errors import DomainError, Kind

LIFETIME: Final = timedelta(minutes=10)
GUESSES_MAX: Final = 5
ENDINGS_UNPROVED_MAX: Final = 3  # of an account's whole life, while nobody has proved the address
RESEND_AFTER: Final = timedelta(seconds=30)


class OtpRefusedError(DomainError):
    """One answer for wrong, late, used, exhausted and unknown: a guesser learns nothing."""

    code, kind = "auth.otp.refused", Kind.INVALID
    title = "The code is wrong or no longer valid"


class OtpPurpose(StrEnum):
    SIGN_UP = "sign_up"
    SIGN_IN = "sign_in"
    PASSWORD_RESET = "password_reset"  # noqa: S105 -- a purpose, not a password
    EMAIL_VERIFICATION = "email_verification"

    @property
    def digits(self) -> int:
        """A reset hands over the account, and is not typed from a lock screen: longer."""
        return 8 if self is OtpPurpose.PASSWORD_RESET else 6


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpIssued:
    """A code on its way to somebody; the only place where it stands in the clear."""

    otp_id: OtpId
    channel: Channel
    destination: str
    code: str
    locale: str
    purpose: OtpPurpose
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Otp:
    """A code as it is stored: its hash, and a hash of where it was sent."""

    id: OtpId
    purpose: OtpPurpose
    channel: Channel
    destination_hash: bytes
    user_id: UserId | None
    token_version: int | None
    code_hash: bytes
    expires_at: datetime

    def holds_for(self, token_version: int, *, proved: bool) -> bool:
        """Whether no act of the person's has ended it; codes that the release before issued name no version.

        ``proved``: somebody has shown before that the address is theirs. Until then the account's sessions may be a
        stranger's, who would keep the owner from proving it by one act after the other: only the first few end codes.
        """
        if self.token_version is None or self.token_version == token_version:
            return True
        return not proved and self.token_version >= ENDINGS_UNPROVED_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpGuess:
    """A code somebody typed."""

    otp_id: OtpId
    code: str
