"""What a person has begun to write, the same on all their devices. The last device to write wins.

Invariant: the versions of a person's drafts in one dialog only grow. A draft that is thrown away stays as an empty one
that nobody is shown, so that a device which was away does not take an old draft for a newer one. A draft ends with its
writer's membership: it is thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    dialog_id: UUID
    text: str
    reply_to_seq: int | None
    version: int
    updated_at: datetime
