"""Identifiers of messaging."""

from __future__ import annotations

from typing import Final
from uuid import UUID

# Until the workspace service exists everybody is in this one.
MAIN_WORKSPACE: Final = UUID("00000000-0000-7000-8000-000000000001")


def pair_key(one: UUID, other: UUID) -> str:
    """The same text whoever of the two starts."""
    return f"{min(one, other)}:{max(one, other)}"
