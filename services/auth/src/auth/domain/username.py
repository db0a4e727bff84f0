"""What a username may be.

Invariant: two usernames that differ only in case are one, and none can be taken for staff or for a route.
"""

from __future__ import annotations

import re
from typing import Final

from kernel.errors import DomainError, Kind

_SHAPE: Final = re.compile(r"[a-z][a-z0-9_]{2,29}")
_RESERVED: Final = frozenset(
    {"admin", "administrator", "api", "auth", "billing", "help", "me", "moderator", "null", "official", "ops"}
    | {"payment", "root", "sampan", "security", "staff", "support", "system", "undefined", "wallet"}
)


class UsernameRefusedError(DomainError):
    code, kind = "auth.username.refused", Kind.INVALID
    title = "This username cannot be used"


class UsernameTakenError(DomainError):
    code, kind = "auth.username.taken", Kind.CONFLICT
    title = "This username is taken"


def checked_username(text: str) -> str:
    """The username in its one form (lower case). Raises ``UsernameRefusedError``."""
    username = text.lower()
    if not _SHAPE.fullmatch(username):
        raise UsernameRefusedError(
            "3 to 30 letters a-z, digits and underscores, beginning with a letter.", pointer="/username"
        )
    if username.strip("_") in _RESERVED:
        raise UsernameRefusedError("This name is kept for Sampan itself.", pointer="/username")
    return username
