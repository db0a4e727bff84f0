"""What nodes say on a person's presence channel, beside ``1`` and ``0``: that they came and went."""

from __future__ import annotations

from typing import Final
from uuid import UUID

CHANNEL: Final = "messaging:presence:"
"""Prefix of the channels, and of the sorted sets that say which nodes a person is on."""
CAME: Final = b"1"
WENT: Final = b"0"
_LOOK_AGAIN: Final = "?"


def pack_visibility(viewer_id: UUID | None) -> bytes:
    """Look again at what may be seen of this person; ``viewer_id``: who should; None: all."""
    return f"{_LOOK_AGAIN}{viewer_id or ''}".encode()


def unpack_visibility(message: bytes) -> tuple[bool, UUID | None]:
    """Whether it says to look again, and who should; None is all. Raises ``ValueError``."""
    kind, _, viewer = message.decode().partition(_LOOK_AGAIN)
    return not kind, UUID(viewer) if viewer else None
