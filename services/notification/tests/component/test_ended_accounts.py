"""A person whose account ended hears nothing more, and what they were told goes with them."""

import uuid
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from kernel.clock import SystemClock
from notification.adapters.erasure_job import erase_expired
from notification.domain.delivery import Sent, after_attempt
from notification.domain.notification import Channel
from notification.entrypoints.jobs.lane import Lane
from notification.usecases.end_account import EndAccount, end_account
from notification.usecases.notify_people import NotifyPeople, NotifyPerson, notify_people
from notification.usecases.send_code import SendCode, send_code
from notification_testing.builders import a_recipient
from notification_testing.fakes import FakeGateway
from sampan.auth.v1.user_pb2 import UserDeleted
from testkit.wait import eventually

ENDED = ("failed", "notification.recipient.account_ended")


async def known(app, person):
    async with app.begin() as tx:
        await tx.recipients.put(person, version=1)


async def told(app, person):
    command = NotifyPerson(source_id=uuid.uuid4(), user_id=person.user_id, notification_type="welcome")
    async with app.begin() as tx:
        await notify_people(NotifyPeople([command]), tx)


async def code_to(app, destination):
    command = SendCode(
        otp_id=uuid.uuid4(),
        channel=Channel.EMAIL,
        destination=destination,
        code="482913",
        locale="en",
        purpose="sign_in",
        expires_at=datetime.now(UTC) + timedelta(minutes=10),
    )
    async with app.begin() as tx:
        await send_code(command, tx)


async def ended(app, person):
    async with app.begin() as tx:
        await end_account(EndAccount(user_id=person.user_id, ended_at=datetime.now(UTC)), tx)


async def deliveries(app):
    async with app.database.read() as conn:
        return await conn.fetch("SELECT * FROM delivery ORDER BY created_at")


async def stored(app, person):
    async with app.database.read() as conn:
        return await conn.fetchval("SELECT count(*) FROM notification WHERE user_id = $1", person.user_id)


async def send_what_is_due(app, gateway):
    lane = Lane(app.begin, gateway, SystemClock(), urgent=False)
    await lane.take_up()
    await lane.finish()


async def test_what_waits_ends_and_what_was_told_is_erased(idle_app):
    person, other = a_recipient(), a_recipient(email="linh@example.com")
    for each in (person, other):
        await known(idle_app, each)
        await told(idle_app, each)
    await ended(idle_app, person)
    assert (await stored(idle_app, person), await stored(idle_app, other)) == (0, 1)
    found = {row["user_id"]: row for row in await deliveries(idle_app)}
    assert (found[person.user_id]["status"], found[person.user_id]["failure_code"]) == ENDED
    assert found[person.user_id]["params"] is None
    assert found[other.user_id]["status"] == "pending"


async def test_nothing_is_told_afterwards(idle_app):
    person = a_recipient()
    await known(idle_app, person)
    await ended(idle_app, person)
    await told(idle_app, person)
    assert await stored(idle_app, person) == 0
    assert await deliveries(idle_app) == []


async def test_codes_under_way_end_and_one_asked_for_later_is_another_persons(idle_app):
    person = a_recipient()
    await known(idle_app, person)
    await code_to(idle_app, person.email)
    await code_to(idle_app, "stranger@example.com")
    await ended(idle_app, person)
    await code_to(idle_app, person.email)
    assert [row["status"] for row in await deliveries(idle_app)] == ["failed", "pending", "pending"]
    assert (await deliveries(idle_app))[0]["payload"] is None


async def test_what_was_known_out_of_order_does_not_bring_a_person_back(idle_app):
    """The end comes first, then what was said before it: redriven letters do that."""
    person = a_recipient()
    await ended(idle_app, person)
    await known(idle_app, person)
    await told(idle_app, person)
    async with idle_app.database.read() as conn:
        row = await conn.fetchrow("SELECT * FROM recipient WHERE user_id = $1", person.user_id)
    assert (row["email"], row["display_name"]) == ("", "")
    assert await stored(idle_app, person) == 0


async def test_what_was_taken_up_before_the_end_stays_ended_and_the_next_look_sends_nothing(idle_app):
    person, gateway = a_recipient(), FakeGateway()
    await known(idle_app, person)
    await told(idle_app, person)
    async with idle_app.begin() as tx:
        (leased,) = await tx.deliveries.lease(channel=Channel.EMAIL, urgent=False, limit=9, now=SystemClock().now())
    await ended(idle_app, person)
    result = after_attempt(leased, Sent("late"), now=datetime.now(UTC), jitter=0)
    async with idle_app.begin() as tx:
        assert await tx.deliveries.finish([(leased, result)], at=datetime.now(UTC)) == set()
    await send_what_is_due(idle_app, gateway)
    assert gateway.sent == []
    assert [(row["status"], row["failure_code"]) for row in await deliveries(idle_app)] == [ENDED]


async def test_what_was_being_told_at_the_moment_of_the_end_is_neither_sent_nor_kept(idle_app):
    """Another transaction sees the person alive, and commits after the end."""
    person, gateway = a_recipient(), FakeGateway()
    await known(idle_app, person)
    command = NotifyPerson(source_id=uuid.uuid4(), user_id=person.user_id, notification_type="welcome")
    async with idle_app.begin() as tx:
        await notify_people(NotifyPeople([command]), tx)
        await ended(idle_app, person)
    assert await stored(idle_app, person) == 1
    await send_what_is_due(idle_app, gateway)
    await erase_expired(idle_app.database)
    assert gateway.sent == []
    assert [(row["status"], row["failure_code"]) for row in await deliveries(idle_app)] == [ENDED]
    assert await stored(idle_app, person) == 0


async def test_within_five_seconds_of_the_fact(world):
    person, email = await world.person()
    await eventually(lambda: world.sandbox.mails(email), timeout_s=30)
    at = Timestamp()
    at.GetCurrentTime()
    await world.publish(UserDeleted(user_id=str(person), deleted_at=at))

    async def nothing_left():
        async with world.app.database.read() as conn:
            row = await conn.fetchrow("SELECT email, display_name FROM recipient WHERE user_id = $1", person)
            return row["email"] == row["display_name"] == "" and not await conn.fetchval(
                "SELECT count(*) FROM notification WHERE user_id = $1", person
            )

    await eventually(nothing_left, timeout_s=5)
    assert len(await world.sandbox.mails(email)) == 1
