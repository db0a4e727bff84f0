"""A part that does not answer is 503 with Retry-After, whatever its client calls it; a defect is 500."""

import asyncpg
import pytest
from aiohttp.test_utils import make_mocked_request
from redis.exceptions import ConnectionError as RedisConnectionError

from chassis.http.problems import Problems, refusal_of
from chassis.outages import CONNECTION_LOST, is_connection_lost, is_outage

AWAY = [
    asyncpg.InternalClientError("got result for unknown protocol state 3"),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.TooManyConnectionsError("sorry, too many clients already"),
    asyncpg.AdminShutdownError("terminating connection due to administrator command"),
    asyncpg.InvalidPasswordError("password authentication failed"),
    asyncpg.InvalidAuthorizationSpecificationError("role is not permitted to log in"),
    asyncpg.InvalidCatalogNameError("database does not exist"),
    asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
    asyncpg.IdleInTransactionSessionTimeoutError("terminating connection"),
    OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] Network is unreachable"),
    ConnectionResetError(),
    TimeoutError(),
]
CONTENDED = [asyncpg.DeadlockDetectedError("deadlock"), asyncpg.LockNotAvailableError("lock timeout")]
DEFECTS = [
    ValueError("no"),
    asyncpg.exceptions._base.DataError("invalid input for query argument $1"),
    asyncpg.UniqueViolationError("duplicate key"),
    asyncpg.UndefinedTableError("no such table"),
    FileNotFoundError(),
    PermissionError(),
]


@pytest.mark.parametrize("error", [*AWAY, *CONTENDED, RedisConnectionError()], ids=lambda error: type(error).__name__)
def test_it_is_unavailable_for_a_moment(error):
    answer = Problems().render(refusal_of(error), make_mocked_request("GET", "/"), request_id="r")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert b"service.unavailable" in answer.body


@pytest.mark.parametrize("error", DEFECTS, ids=lambda error: type(error).__name__)
def test_a_defect_is_no_outage(error):
    assert refusal_of(error).code == "internal.error"


def test_work_is_done_again_on_another_connection_only_when_the_connection_was_lost():
    assert all(is_connection_lost(error) for error in AWAY)
    assert not any(is_connection_lost(error) for error in [*CONTENDED, *DEFECTS])


def test_negative_control_the_list_alone_would_take_a_callers_fault_for_an_outage():
    fault = asyncpg.exceptions._base.DataError("invalid input for query argument $1")
    assert isinstance(fault, CONNECTION_LOST)
    assert not is_outage(fault)
