"""What an error says about trying again."""

import asyncpg
import pytest

from eventing.failures import BACKOFF, Failure, classify, retry_in_s
from kernel.errors import DomainError, Kind


class BusyError(DomainError):
    code, kind = "test.thing.busy", Kind.UNAVAILABLE


class RefusedError(DomainError):
    code, kind = "test.thing.refused", Kind.CONFLICT


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (BusyError(), Failure.CONTENTION),
        (RefusedError(), Failure.PERMANENT),
        (asyncpg.DeadlockDetectedError("x"), Failure.CONTENTION),
        (asyncpg.SerializationError("x"), Failure.CONTENTION),
        (asyncpg.LockNotAvailableError("x"), Failure.CONTENTION),
        (asyncpg.ConnectionDoesNotExistError("x"), Failure.OUTAGE),
        (asyncpg.AdminShutdownError("x"), Failure.OUTAGE),
        (asyncpg.InternalClientError("x"), Failure.OUTAGE),
        (ConnectionResetError(), Failure.OUTAGE),
        (TimeoutError(), Failure.OUTAGE),
        (asyncpg.UniqueViolationError("x"), Failure.DEFECT),
        (KeyError("x"), Failure.DEFECT),
    ],
)
def test_errors_are_told_apart(error, failure):
    assert classify(error) is failure


def test_backoff_grows_to_its_limit():
    for attempts in range(1, 40):
        pause = retry_in_s(LookupError(), attempts)
        assert 0.1 <= pause <= BACKOFF.cap_s
    assert retry_in_s(LookupError(), 39) >= BACKOFF.cap_s / 2


def test_after_an_outage_it_comes_again_soon_however_long_that_was():
    assert 1.5 <= retry_in_s(OSError(), 39) <= 3.0
