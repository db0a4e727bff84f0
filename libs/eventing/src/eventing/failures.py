"""What an error says about trying again.

Transient: the world was not ready (connection, deadlock, lock, a kind UNAVAILABLE). Retried until it works.
Permanent: the record will never pass (any other domain error). Dead letter at once.
Anything else is a defect or bad luck: a few attempts, then a dead letter.
"""

from __future__ import annotations

import random
from enum import Enum
from typing import Final

import asyncpg

from kernel.errors import DomainError, Kind

ATTEMPTS_MAX: Final = 3
BACKOFF_FIRST_S: Final = 0.1
BACKOFF_MAX_S: Final = 30.0

_OUTAGES: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_CONTENTION: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
)


class Failure(Enum):
    """How to go on after an error."""

    OUTAGE = "outage"  # nothing will pass now
    CONTENTION = "contention"  # this record may pass in a moment
    PERMANENT = "permanent"
    DEFECT = "defect"

    @property
    def transient(self) -> bool:
        return self in {Failure.OUTAGE, Failure.CONTENTION}


def classify(error: BaseException) -> Failure:
    """How to go on after ``error``."""
    if isinstance(error, DomainError):
        return Failure.CONTENTION if error.kind is Kind.UNAVAILABLE else Failure.PERMANENT
    if isinstance(error, _CONTENTION):
        return Failure.CONTENTION
    if isinstance(error, _OUTAGES):
        return Failure.OUTAGE
    return Failure.DEFECT


def backoff_s(attempts: int) -> float:
    """Seconds before attempt number ``attempts + 1``: doubling, with jitter over the upper half."""
    ceiling = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(attempts, 16))
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 -- spreads retries, guards nothing
