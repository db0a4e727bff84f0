"""A result is recorded as long as that can be: an outage is waited for, one at fault stops no other."""

from contextlib import asynccontextmanager

import asyncpg
import pytest
from structlog.testing import capture_logs

from kernel.clock import FixedClock
from kernel.ids import uuid7
from notification.domain.delivery import LEASE_S, DeliveryStatus, Ended
from notification.domain.ids import NotificationId
from notification.entrypoints.jobs import recording
from notification.entrypoints.jobs.recording import record_with_retries
from notification_testing.builders import a_delivery
from notification_testing.fakes import FakeTx

AWAY = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(recording, "AGAIN_S", 0.0)


@pytest.fixture
def results():
    return [(a_delivery(notification_id=NotificationId(uuid7())), Ended(DeliveryStatus.SENT)) for _ in range(3)]


@pytest.fixture
def tx(results):
    made = FakeTx()
    made.deliveries.waiting = {delivery.delivery_id: delivery for delivery, _ in results}
    return made


def told(tx):
    return [delivery_id for delivery_id, *_ in tx.events.delivered]


async def test_a_database_that_is_away_is_asked_again(results, tx):
    refusals = [AWAY, AWAY]

    @asynccontextmanager
    async def begin():
        if refusals:
            raise refusals.pop()
        yield tx

    await record_with_retries(results, begin, FixedClock())
    assert told(tx) == [delivery.delivery_id for delivery, _ in results]


async def test_when_the_leases_end_it_is_given_up_and_told_in_the_log(results):
    clock = FixedClock()

    @asynccontextmanager
    async def begin():
        clock.advance(LEASE_S / 3)
        raise AWAY
        yield

    with capture_logs() as lines:
        await record_with_retries(results[:1], begin, clock)
    assert [(each["event"], each["delivery_id"]) for each in lines] == [
        ("delivery.unrecorded", str(results[0][0].delivery_id))
    ]


async def test_one_that_is_refused_leaves_the_others_recorded(results, tx):
    bad = results[1][0].delivery_id
    finish = tx.deliveries.finish

    async def refuse_one(given, *, at):
        if any(delivery.delivery_id == bad for delivery, _ in given):
            raise asyncpg.CheckViolationError("poisoned")
        return await finish(given, at=at)

    tx.deliveries.finish = refuse_one

    @asynccontextmanager
    async def begin():
        yield tx

    with capture_logs() as lines:
        await record_with_retries(results, begin, FixedClock())
    assert told(tx) == [delivery.delivery_id for delivery, _ in results if delivery.delivery_id != bad]
    assert [(each["event"], each["delivery_id"]) for each in lines] == [("delivery.unrecorded", str(bad))]
