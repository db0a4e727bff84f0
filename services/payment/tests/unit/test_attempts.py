"""The row that cannot be done never stops the others."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from payment.domain.ledger import Expire
from payment.usecases.attempt_batch import NoOutcomeError, attempt_batch
from payment.usecases.attempt_each import attempt_each
from payment.usecases.expire_holds import expire_holds
from payment_testing.fakes import FakePayment


@pytest.fixture
def payment():
    return FakePayment()


def working(bad=()):
    """Work that fails for ``bad`` rows, and the batches it was done in."""
    done = []

    async def work(items):
        if set(items) & set(bad):
            raise ValueError(f"cannot do\x00 {items}")
        done.append(list(items))

    return work, done


async def test_all_at_once_while_that_works(payment):
    work, done = working()
    payment.job_failures.attempts["job", "2"] = 3
    assert await attempt_batch("job", [1, 2, 3], work, payment.begin, name=str) == 3
    assert done == [[1, 2, 3]]
    assert payment.job_failures.attempts == {}  # what was done has no failure any more


async def test_by_halves_until_the_one_at_fault_fails_alone(payment):
    work, done = working(bad=[5])
    assert await attempt_batch("job", list(range(8)), work, payment.begin, name=str) == 7
    assert done == [[0, 1, 2, 3], [4], [6, 7]]
    assert payment.job_failures.attempts == {("job", "5"): 1}
    assert payment.job_failures.errors["job", "5"] == "ValueError: cannot do [5]"


async def test_each_by_itself(payment):
    async def work(item):
        if item == 2:
            raise ValueError

    await attempt_each("job", [1, 2, 3], work, payment.begin, name=str)
    assert payment.job_failures.attempts == {("job", "2"): 1}


async def test_a_failure_that_cannot_be_written_down_is_raised_after_the_others_ended(payment):
    async def broken(*_):
        raise OSError("no database")

    done = []

    async def work(item):
        if item == 1:
            raise ValueError
        done.append(item)

    payment.job_failures.record = broken
    with pytest.raises(ExceptionGroup) as raised:
        await attempt_each("job", [1, 2, 3], work, payment.begin, name=str)
    assert [type(each) for each in raised.value.exceptions] == [OSError]
    assert done == [2, 3]


@pytest.mark.parametrize("again_s", [None, 60])
async def test_work_without_an_outcome_leaves_what_is_written_down_and_adds_nothing(payment, again_s):
    payment.job_failures.attempts["job", "1"] = 3
    again = payment.clock.now() + timedelta(seconds=again_s) if again_s else None

    async def work(_):
        raise NoOutcomeError(again)

    assert await attempt_batch("job", [1, 2], work, payment.begin, name=str) == 0
    assert payment.job_failures.attempts == {("job", "1"): 3}
    assert payment.job_failures.postponed == ({("job", "1"): again} if again else {})


async def test_no_hold_is_due(payment):
    payment.holds.expires_at[uuid4()] = payment.clock.now()
    payment.clock.advance(-1)
    assert await expire_holds(payment.begin) == 0
    assert payment.ledger.applied == []


async def test_due_holds_are_expired_and_one_that_cannot_be_is_written_down(payment):
    holds = [uuid4() for _ in range(3)]
    payment.holds.expires_at = dict.fromkeys(holds, payment.clock.now())
    payment.ledger.poisoned = {holds[0]}
    assert await expire_holds(payment.begin) == 2
    assert payment.ledger.applied == [Expire(hold_id=each) for each in holds[1:]]
    assert payment.job_failures.attempts == {("expire_holds", str(holds[0])): 1}
