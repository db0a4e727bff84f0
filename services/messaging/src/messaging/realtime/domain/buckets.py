"""A token bucket: so many at once, so many a second for good."""

from __future__ import annotations


class Bucket:
    """``spend`` may go below zero, so that the caller sees how far somebody oversteps."""

    __slots__ = ("_at", "_tokens")

    def __init__(self, burst: float, now: float) -> None:
        self._tokens = burst
        self._at = now

    def spend(self, now: float, *, burst: float, per_s: float, floor: float | None = None) -> float:
        """Take one; returns what is left. Not below ``floor``, so that waiting helps even the worst."""
        self._tokens = min(burst, self._tokens + (now - self._at) * per_s) - 1
        self._at = now
        if floor is not None and self._tokens < floor:
            self._tokens = floor
        return self._tokens
