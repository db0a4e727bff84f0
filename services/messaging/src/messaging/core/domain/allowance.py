"""What a person may have so many of."""

from __future__ import annotations

from enum import IntEnum


class Allowance(IntEnum):
    """What is counted. The values are part of the lock's key, and differ from all others in this service."""

    SCHEDULED = 31
    UPLOADS = 32
    BOTS = 33
