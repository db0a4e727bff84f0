"""What retention takes away."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Purgeable:
    """``by_row``: its rows are deleted one by one; otherwise they go with their month, or were kept when it went."""

    dialog_id: UUID
    oldest_seq: int
    by_row: bool
