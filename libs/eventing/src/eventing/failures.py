"""What an error says about trying again.

Transient: the world was not ready (connection, deadlock, lock, a missing right, a kind UNAVAILABLE). Retried until it
works.
Permanent: the record will never pass (any other domain error). Dead letter at once.
Anything else is a defect or bad luck: a few attempts, then a dead letter.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Final

import asyncpg

from kernel.backoff import BackoffPolicy
from kernel.errors import DomainError, Kind

ATTEMPTS_MAX: Final = 3
BACKOFF: Final = BackoffPolicy(first_s=0.2, cap_s=30.0, spread=(0.5, 1.0))
OUTAGE_BACKOFF: Final = replace(BACKOFF, cap_s=3.0)  # what came back is met by everybody at once anyway

_OUTAGES: Final = (
    OSError,  # TimeoutError among them
    asyncpg.InterfaceError,  # "connection is closed" and the like
    asyncpg.InternalClientError,  # a pooled connection that the server has ended meanwhile
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
)
# Where Postgres refuses for want of a right; row-level security and functions that raise refuse elsewhere.
_NO_RIGHT: Final = ("aclcheck_error", "aclcheck_error_col", "nextval_internal")
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


def retry_in_s(error: BaseException | None, attempts: int) -> float:
    """Seconds until a record that failed with ``error`` comes again."""
    outage = error is not None and classify(error) is Failure.OUTAGE
    return (OUTAGE_BACKOFF if outage else BACKOFF).wait_s(attempts)


def classify(error: BaseException) -> Failure:
    """How to go on after ``error``."""
    if isinstance(error, DomainError):
        return Failure.CONTENTION if error.kind is Kind.UNAVAILABLE else Failure.PERMANENT
    if isinstance(error, _CONTENTION):
        return Failure.CONTENTION
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return Failure.DEFECT  # an argument that no connection would take
    if isinstance(error, asyncpg.InsufficientPrivilegeError) and error.server_source_function in _NO_RIGHT:
        return Failure.OUTAGE
    if isinstance(error, _OUTAGES):
        return Failure.OUTAGE
    return Failure.DEFECT
