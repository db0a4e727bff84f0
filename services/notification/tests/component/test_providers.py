"""Providers that fail, answer late, or take a message and say they did not."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.ids import derived_id
from sampan.notification.v1.commands_pb2 import SendOtp
from testkit.wait import eventually


@pytest.fixture
def phone():
    return "+669" + str(uuid.uuid4().int)[:8]


def otp(phone, *, channel="sms", lives=timedelta(minutes=5)):
    expires_at = Timestamp()
    expires_at.FromDatetime(datetime.now(UTC) + lives)
    return SendOtp(
        otp_id=str(uuid.uuid4()),
        channel=channel,
        destination=phone,
        code="482913",
        locale="th-TH",
        purpose="sign_in",
        expires_at=expires_at,
    )


async def ended(world, record, status):
    """The delivery of a code once it has the given status."""
    delivery_id = derived_id(uuid.UUID(record.otp_id), "otp")

    async def look():
        async with world.app.database.read() as conn:
            return await conn.fetchrow(
                "SELECT * FROM delivery WHERE delivery_id = $1 AND status = $2", delivery_id, status
            )

    return await eventually(look, timeout_s=20, what=f"code {status}")


async def test_a_code_arrives_and_is_erased_once_it_was_sent(world, phone):
    code = otp(phone)
    await world.publish(code)
    messages = await eventually(lambda: world.sandbox.messages(phone), timeout_s=20)
    assert messages[0]["text"].startswith("482913 คือรหัส Sampan")
    row = await ended(world, code, "sent")
    assert row["payload"] is None
    async with world.app.database.read() as conn:
        told = await conn.fetchval("SELECT d::text FROM delivery d WHERE delivery_id = $1", row["delivery_id"])
    assert "482913" not in told


async def test_a_provider_that_takes_it_and_fails_sends_it_once(world, phone):
    await world.idle()
    await world.sandbox.behave("sms", fail_after_success_next=2)
    code = otp(phone)
    await world.publish(code)
    row = await ended(world, code, "sent")
    assert row["attempts"] == 3
    assert len(await world.sandbox.messages(phone)) == 1


async def test_an_overloaded_provider_is_asked_again(world, phone):
    await world.idle()
    await world.sandbox.behave("sms", refuse_next=1)
    await world.publish(otp(phone))
    assert len(await eventually(lambda: world.sandbox.messages(phone), timeout_s=20)) == 1


async def test_a_code_that_expired_is_not_sent(world, phone):
    code = otp(phone, lives=timedelta(seconds=-1))
    await world.publish(code)
    row = await ended(world, code, "failed")
    assert row["failure_code"] == "notification.delivery.expired"
    assert row["payload"] is None
    assert await world.sandbox.messages(phone) == []


async def test_a_mailbox_that_is_busy_gets_the_mail_later_and_one_that_is_not_there_never(world):
    await world.idle()
    await world.sandbox.behave("mail", try_later_next=1)
    later, never = otp("later@example.com", channel="email"), otp("never@example.com", channel="email")
    await world.publish(later)
    assert await eventually(lambda: world.sandbox.mails("later@example.com"), timeout_s=20)
    await ended(world, later, "sent")
    await world.idle()
    await world.sandbox.behave("mail", refuse_next=1)
    await world.publish(never)
    row = await ended(world, never, "failed")
    assert row["failure_code"] == "notification.email.refused"
