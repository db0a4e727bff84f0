"""Notifications are read by their ids, or all up to a moment."""

import uuid
from datetime import timedelta

import pytest

from notification.domain.ids import NotificationId, UserId
from notification.usecases.mark_read import MarkRead, mark_read
from notification.usecases.notify_people import NotifyPeople, NotifyPerson, notify_people
from notification_testing.fakes import FakeTx

READER = UserId(uuid.uuid4())


@pytest.fixture
async def tx():
    """With three notifications of the reader, an hour apart, and one of somebody else."""
    made = FakeTx()
    begun_at = made.now
    for hours, user_id in enumerate((READER, READER, READER, UserId(uuid.uuid4()))):
        made.now = begun_at + timedelta(hours=hours)
        await notify_people(
            NotifyPeople([NotifyPerson(source_id=uuid.uuid4(), user_id=user_id, notification_type="welcome")]), made
        )
    made.now = begun_at + timedelta(days=1)
    return made


def read_at(tx):
    return [each.read_at for each in tx.notifications.stored.values()]


async def test_ids_mark_those_and_pass_over_what_is_read_unknown_or_anothers(tx):
    first, *_, anothers = tx.notifications.stored
    command = MarkRead(user_id=READER, ids=[first, anothers, NotificationId(uuid.uuid4())])
    assert await mark_read(command, tx) == 1
    assert await mark_read(command, tx) == 0
    assert read_at(tx) == [tx.now, None, None, None]


async def test_a_moment_marks_all_until_then(tx):
    second = list(tx.notifications.stored.values())[1]
    command = MarkRead(user_id=READER, up_to=second.created_at)
    assert await mark_read(command, tx) == 2
    assert read_at(tx) == [tx.now, tx.now, None, None]
