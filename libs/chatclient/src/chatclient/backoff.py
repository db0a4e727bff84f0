"""How long to wait before connecting again: a little at first, more after each failure, never in step with others."""

from __future__ import annotations

import random
from typing import Final

FIRST_S: Final = 0.25
CAP_S: Final = 15.0


class Backoff:
    """Full jitter: anything between nothing and the bound, which doubles."""

    def __init__(self, *, first_s: float = FIRST_S, cap_s: float = CAP_S) -> None:
        self._first_s, self._cap_s = first_s, cap_s
        self._failures = 0

    def reset(self) -> None:
        """It worked."""
        self._failures = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        bound = min(self._cap_s, self._first_s * 2**self._failures)
        self._failures = min(self._failures + 1, 30)
        return random.uniform(0, bound)  # noqa: S311 -- spread, not secrecy
