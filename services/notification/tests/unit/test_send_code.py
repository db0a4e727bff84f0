"""A code is urgent, carries its own address, and is queued once."""

import uuid
from datetime import timedelta

from kernel.ids import derived_id
from notification.domain.notification import Channel, Priority
from notification.usecases.send_code import SendCode, send_code
from notification_testing.fakes import FakeTx


async def test_a_code_waits_with_its_address_and_no_notification():
    tx = FakeTx()
    command = SendCode(
        otp_id=uuid.uuid4(),
        channel=Channel.SMS,
        destination="+66811111111",
        code="482913",
        locale="th-TH",
        purpose="sign_in",
        expires_at=tx.now + timedelta(minutes=5),
    )
    for _ in range(2):
        await send_code(command, tx)
    (queued,) = tx.deliveries.waiting.values()
    assert queued.delivery_id == derived_id(command.otp_id, "otp")
    assert (queued.channel, queued.priority, queued.message_type) == (Channel.SMS, Priority.URGENT, "otp")
    assert queued.payload == {
        "destination": "+66811111111", "code": "482913", "locale": "th-TH", "purpose": "sign_in",
    }  # fmt: skip
    assert (queued.user_id, queued.notification_id, queued.attempts) == (None, None, 0)
    assert (queued.created_at, queued.expires_at) == (tx.now, command.expires_at)
    assert tx.notifications.stored == {}
    assert tx.events.created == []
