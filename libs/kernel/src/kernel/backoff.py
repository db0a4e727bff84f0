"""How long to wait after failures: a little at first, longer after each, never for longer than a cap."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Self

_GROWTHS_MAX: Final = 500  # by then any wait has reached its cap, and no float has overflowed


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffPolicy:
    """``first_s`` seconds after the first failure, ``factor`` times as long after each further one, at most ``cap_s``.

    ``spread``: the least and the greatest share of such a wait that is waited, so that those who failed together do not
    come back together.
    """

    first_s: float
    cap_s: float
    factor: float = 2.0
    spread: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def constant(cls, wait_s: float) -> Self:
        """The same wait after every failure."""
        return cls(first_s=wait_s, cap_s=wait_s)

    def wait_s(self, failures: int, chance: float | None = None) -> float:
        """Seconds to wait after this many failures in a row, one at least.

        ``chance``, from 0 to 1, is the place within the spread; None draws it.
        """
        grown_s = self.first_s * self.factor ** min(max(failures - 1, 0), _GROWTHS_MAX)
        least, most = self.spread
        drawn = random.random() if chance is None else chance  # noqa: S311 -- spread, not secrecy
        return min(self.cap_s, grown_s) * (least + (most - least) * drawn)


class Backoff:
    """Counts failures in a row, and says how long to wait after each."""

    def __init__(self, policy: BackoffPolicy) -> None:
        self._policy = policy
        self._failures = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        self._failures += 1
        return self._policy.wait_s(self._failures)

    def reset(self) -> None:
        """It worked: the next failure is the first again."""
        self._failures = 0
