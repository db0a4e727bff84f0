"""What a person may be in Sampan. Everybody is a ``user``; the rest is granted."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Roles carried in the access token."""

    USER = "user"
    CREATOR = "creator"
    SELLER = "seller"
    MODERATOR = "moderator"
    SUPPORT = "support"
    OPS = "ops"
    ADMIN = "admin"


FIRST_ROLES: Final = frozenset({Role.USER})
