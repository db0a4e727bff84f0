"""What is written down of a person's safety, whoever did it."""

from __future__ import annotations

from enum import StrEnum


class SecurityEvent(StrEnum):
    """What happened, as the security log names it."""

    SIGNED_UP = "signed_up"
    SIGNED_IN = "signed_in"
    SESSION_REVOKED = "session_revoked"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105 -- an event
    LOGGED_OUT_EVERYWHERE = "logged_out_everywhere"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 -- an event
    PASSWORD_RESET_ASKED = "password_reset_asked"  # noqa: S105 -- an event
    PASSWORD_RESET = "password_reset"  # noqa: S105 -- an event
    EMAIL_VERIFIED = "email_verified"
    PHONE_VERIFIED = "phone_verified"
    ROLES_CHANGED = "roles_changed"
    USER_DELETED = "user_deleted"
    SIGNING_KEY_ROTATED = "signing_key_rotated"
