"""How long somebody waits after failed sign-ins: longer each time, never locked out.

Invariant: the wait is bounded, so nobody can shut another person out of their account.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from kernel.errors import DomainError, Kind

FREE_FAILURES: Final = 5
DELAY_MAX_S: Final = 60
FORGOTTEN_AFTER: Final = timedelta(minutes=15)


class TooManyAttemptsError(DomainError):
    code, kind = "auth.attempts.limited", Kind.RATE_LIMITED
    title = "Too many attempts: wait a little"


class LimitsUnavailableError(DomainError):
    """Sending codes costs money and can annoy a stranger: without its limits it does not happen."""

    code, kind = "auth.limits.unavailable", Kind.UNAVAILABLE
    title = "Codes cannot be sent right now"


def delay_s(failures: int) -> int:
    """Seconds to wait after this many failures in a row: 0 up to five, then 1, 2, 4 … at most a minute."""
    if failures < FREE_FAILURES:
        return 0
    return int(min(DELAY_MAX_S, 2 ** min(failures - FREE_FAILURES, 16)))
