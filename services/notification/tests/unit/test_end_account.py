"""With an account end what is known of the person, what they were told, and what waits for them."""

import uuid
from datetime import timedelta

import pytest

from notification.domain.recipient import unknown_recipient
from notification.usecases.end_account import EndAccount, end_account
from notification.usecases.notify_people import NotifyPeople, NotifyPerson, notify_people
from notification.usecases.record_recipient import RecordRecipient, record_recipient
from notification_testing.builders import a_recipient
from notification_testing.fakes import FakeTx


@pytest.fixture
def tx():
    return FakeTx()


async def told(tx, person):
    await notify_people(
        NotifyPeople([NotifyPerson(source_id=uuid.uuid4(), user_id=person.user_id, notification_type="welcome")]), tx
    )


async def test_what_waits_ends_by_the_addresses_that_were_known(tx):
    person, other = a_recipient(), a_recipient(email="linh@example.com")
    for each in (person, other):
        await record_recipient(RecordRecipient(recipient=each, version=1), tx)
        await told(tx, each)
    ended_at = tx.now - timedelta(seconds=5)
    await end_account(EndAccount(user_id=person.user_id, ended_at=ended_at), tx)
    assert tx.recipients.known == {other.user_id: other}
    assert tx.deliveries.ended_of == [(person, ended_at)]
    assert {each.user_id for each in tx.notifications.stored.values()} == {other.user_id}


async def test_also_of_a_person_who_is_not_known(tx):
    person = a_recipient()
    await end_account(EndAccount(user_id=person.user_id, ended_at=tx.now), tx)
    assert tx.deliveries.ended_of == [(unknown_recipient(person.user_id), tx.now)]
