"""A poll in a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """``options``: how many there are; their texts are in the message."""

    dialog_id: UUID
    seq: int
    options: int
    multiple: bool
    anonymous: bool
    closes_at: datetime | None
    closed_at: datetime | None = None
