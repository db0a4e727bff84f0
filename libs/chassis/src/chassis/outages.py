"""Which errors say that a part was not there, and nothing of the request: the same request may pass in a moment.

The one list of the HTTP edge, of readiness and of background work. ``eventing.failures`` has the database's part for
records, with other consequences; libs/operations' tests hold the two together.
"""

from __future__ import annotations

from typing import Final

import asyncpg
from redis.exceptions import RedisError

# The connection is gone, could not be had, or is of no use.
CONNECTION_LOST: Final = (
    OSError,  # TimeoutError among them
    asyncpg.InterfaceError,  # "connection is closed" and the like
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that was the primary a moment ago
)
_CONTENTION: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
# Said of files, never of a part that does not answer.
_OF_FILES: Final = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)


def is_connection_lost(error: BaseException) -> bool:
    """The work may be done again on another connection."""
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)  # asyncpg's mark for an argument that no connection would take
    return isinstance(error, CONNECTION_LOST) and not isinstance(error, _OF_FILES)


def is_outage(error: BaseException) -> bool:
    """A part did not answer, or others were in the way: trying again helps."""
    return isinstance(error, (*_CONTENTION, RedisError)) or is_connection_lost(error)
