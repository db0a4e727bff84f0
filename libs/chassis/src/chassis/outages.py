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
# Where Postgres refuses for want of a right; row-level security and functions that raise refuse elsewhere.
_NO_RIGHT: Final = ("aclcheck_error", "aclcheck_error_col", "nextval_internal")
# Said of files, never of a part that does not answer.
_OF_FILES: Final = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)


class NotReadyError(Exception):
    """Raised by a check; its sentence is written for whoever operates the process, and told to them."""


def is_connection_lost(error: BaseException) -> bool:
    """The work may be done again on another connection."""
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)  # asyncpg's mark for an argument that no connection would take
    return isinstance(error, CONNECTION_LOST) and not isinstance(error, _OF_FILES)


def is_right_missing(error: BaseException) -> bool:
    """The role that serves was not given what it needs, or it was taken: nothing of the request, and soon mended."""
    return isinstance(error, asyncpg.InsufficientPrivilegeError) and error.server_source_function in _NO_RIGHT


def is_outage(error: BaseException) -> bool:
    """A part did not answer, or others were in the way: trying again helps."""
    return isinstance(error, (*_CONTENTION, RedisError)) or is_connection_lost(error) or is_right_missing(error)
