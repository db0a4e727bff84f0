"""How long somebody waits after failed sign-ins: longer each time, never locked out, and never for what a stranger did.

Failures are counted where they come from. An address, or the network around it, that the account signed in from before
has a counter of its own, which no stranger moves. Everything else counts twice: for its own address, and in one counter
of the account for all places it is not known from, so that a guesser with many addresses is slowed down, too.

Invariant: a wait is bounded, and where the account is known it follows from failures in that place alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from auth.domain.place import Familiarity, Place
from kernel.backoff import BackoffPolicy
from kernel.errors import DomainError, Kind

FREE_FAILURES: Final = 5
FREE_FAILURES_ELSEWHERE: Final = 50  # one address makes 25 in the same time: it takes several to use them up
DELAY_MAX_S: Final = 60
_DELAYS: Final = BackoffPolicy(first_s=1, cap_s=DELAY_MAX_S)
FORGOTTEN_AFTER: Final = timedelta(minutes=15)
CUT_OFF_AFTER: Final = timedelta(seconds=15)  # an attempt without an outcome for so long was no guess


class TooManyAttemptsError(DomainError):
    code, kind = "auth.attempts.limited", Kind.RATE_LIMITED
    title = "Too many attempts: wait a little"


class LimitsUnavailableError(DomainError):
    """Sending codes costs money and can annoy a stranger: without its limits it does not happen."""

    code, kind = "auth.limits.unavailable", Kind.UNAVAILABLE
    title = "Codes cannot be sent right now"


@dataclass(frozen=True, slots=True)
class Counter:
    """Failures of one account that are counted together. ``place``: a success clears it."""

    name: str
    free_failures: int = FREE_FAILURES
    place: bool = True


ELSEWHERE: Final = Counter("elsewhere", FREE_FAILURES_ELSEWHERE, place=False)


def counters(familiarity: Familiarity, place: Place) -> tuple[Counter, ...]:
    """What an attempt from this place counts in."""
    match familiarity:
        case Familiarity.ADDRESS:
            return (Counter(f"known:{place.address}"),)
        case Familiarity.NETWORK:
            return (Counter(f"near:{place.network}"),)
        case Familiarity.NONE:
            return (Counter(f"from:{place.address}"), ELSEWHERE)


def delay_s(failures: int, free_failures: int = FREE_FAILURES) -> int:
    """Seconds to wait after this many failures: 0 while they are free, then 1, 2, 4 … at most a minute."""
    if failures < free_failures:
        return 0
    return int(_DELAYS.wait_s(failures - free_failures + 1))
