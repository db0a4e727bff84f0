"""Identifiers: UUIDs, opaque to everybody, time-ordered (version 7) where rows are many."""

from __future__ import annotations

import os
import threading
import time
import uuid
from typing import Final
from uuid import UUID

_RANDOM_BITS: Final = 62
_lock = threading.Lock()
_last_stamp = 0


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562) with a sub-millisecond part, strictly increasing within a process."""
    global _last_stamp  # noqa: PLW0603 -- one counter per process is the point
    with _lock:
        # 48 bits of milliseconds and 12 bits of its fraction, as one growing number.
        stamp = (time.time_ns() << 12) // 1_000_000
        _last_stamp = stamp = max(stamp, _last_stamp + 1)
    unix_ms, fraction = stamp >> 12, stamp & 0xFFF
    random = int.from_bytes(os.urandom(8)) >> (64 - _RANDOM_BITS)
    return UUID(int=(unix_ms & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)


def derived_id(namespace: UUID, name: str) -> UUID:
    """The same UUID for the same namespace and name, always: for ids that a retry must repeat."""
    return uuid.uuid5(namespace, name)
