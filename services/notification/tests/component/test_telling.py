"""From domain events to what people read, in their language, once."""

import uuid
from datetime import UTC, datetime

from contracts.cancel_reasons import cancelled_because
from kernel.ids import uuid7
from notification.adapters.notification_reads import list_notifications
from notification.domain.ids import UserId
from notification.usecases.notify_people import NotifyPeople, NotifyPerson, notify_people
from sampan.auth.v1.user_pb2 import UserProfileChanged, UserRegistered
from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderConfirmed, OrderPaid
from sampan.payment.v1.transfer_pb2 import TransferCompleted
from sampan.types.v1.money_pb2 import Money
from testkit.wait import eventually


def order_paid(buyer_id, seller_id):
    return OrderPaid(
        order_id=str(uuid7()),
        order_number="TH-26-000042",
        buyer_id=str(buyer_id),
        seller_id=str(seller_id),
        shop_name="Baan Thai",
        total=Money(amount_minor=125_000, currency="THB"),
    )


async def test_each_side_of_an_order_reads_of_it_in_their_own_language(world):
    buyer, email = await world.person(locale="th-TH")
    seller, _ = await world.person(locale="vi-VN", name="Linh")

    await world.publish(order_paid(buyer, seller))

    bought = await world.notifications_of(buyer, "order_paid")
    assert bought[0]["title"] == "ชำระเงินคำสั่งซื้อ TH-26-000042 แล้ว"
    assert "THB 1,250.00" in bought[0]["body"]
    sold = await world.notifications_of(seller, "order_received")
    assert sold[0]["title"] == "Đơn hàng mới TH-26-000042"
    mails = await eventually(lambda: _mails(world, email, "TH-26-000042"), timeout_s=30)
    assert mails[0]["text"].startswith("สวัสดีคุณ Nok")


async def test_before_the_proof_of_an_address_it_is_mailed_nothing_that_was_typed(world):
    victim, email = uuid.uuid4(), f"{uuid.uuid4().hex}@example.com"
    typed = "Your parcel is held"
    state = {"user_id": str(victim), "country": "TH", "locale": "en-US", "display_name": typed, "email": email}
    await world.publish(UserRegistered(**state, email_verified=False), version=1)
    welcome = await eventually(lambda: _mails(world, email, ""), timeout_s=30)
    await world.publish(order_paid(victim, victim))
    assert await world.notifications_of(victim, "order_paid")  # the app shows it

    async def refused():
        async with world.app.database.read() as conn:
            return await conn.fetchval(
                "SELECT failure_code FROM delivery WHERE user_id = $1 AND message_type = 'order_paid' AND ended_at > $2",
                victim,
                datetime(2026, 1, 1, tzinfo=UTC),
            )

    assert await eventually(refused, timeout_s=30) == "notification.recipient.unproved"
    assert await _mails(world, email, "") == welcome
    assert not any(typed in mail["subject"] + mail["text"] for mail in welcome)

    await world.handled(await world.publish(UserProfileChanged(**state, email_verified=True), version=2))
    await world.publish(order_paid(victim, victim))
    assert await eventually(lambda: _mails(world, email, "TH-26-000042"), timeout_s=30)


async def test_a_change_of_language_changes_what_was_told_before(world):
    person, email = await world.person(locale="id-ID")
    assert (await world.notifications_of(person, "welcome"))[0]["title"] == "Selamat datang di Sampan"
    await world.publish(
        UserProfileChanged(user_id=str(person), country="TH", locale="en-US", display_name="Nok", email=email),
        version=2,
    )

    async def in_english():
        return (await world.notifications_of(person, "welcome"))[0]["title"] == "Welcome to Sampan"

    await eventually(in_english)


async def test_an_older_record_does_not_bring_an_old_profile_back(world):
    person, email = await world.person(locale="ms-MY")
    newer = UserProfileChanged(user_id=str(person), locale="en-US", display_name="Newer", email=email)
    older = UserProfileChanged(user_id=str(person), locale="vi-VN", display_name="Older", email=email)
    await world.publish(newer, version=5)
    await world.handled(await world.publish(older, version=4))
    await world.publish(order_paid(person, person))
    assert (await world.notifications_of(person, "order_paid"))[0]["title"].startswith("Order ")


async def test_the_same_record_twice_is_told_once(world):
    person, _ = await world.person()
    event_id = uuid7()
    record = TransferCompleted(
        transfer_id=str(uuid7()),
        sender_id=str(uuid.uuid4()),
        recipient_id=str(person),
        amount=Money(amount_minor=5_000, currency="THB"),
    )
    for _ in range(3):
        async with world.app.begin() as tx:
            tx.outbox.add(record, event_id=event_id)
    await world.publish(order_paid(person, person))
    await world.notifications_of(person, "order_paid")
    assert len(await world.notifications_of(person, "money_received")) == 1


async def test_a_person_not_heard_of_yet_is_told_once_they_are(world):
    stranger = uuid.uuid4()
    await world.publish(order_paid(stranger, stranger))
    told = await world.notifications_of(stranger, "order_paid")
    assert told[0]["title"] == "Order TH-26-000042 is paid"


async def test_the_buyer_reads_why_an_order_was_cancelled(world):
    person, _ = await world.person(locale="vi-VN")
    await world.publish(
        OrderCancelled(
            order_id=str(uuid7()),
            order_number="VN-26-000007",
            buyer_id=str(person),
            seller_id=str(uuid.uuid4()),
            shop_name="Chợ Nổi",
            total=Money(amount_minor=50_000, currency="VND"),
            reason_code="payment.wallet.insufficient_funds",
        )
    )
    told = (await world.notifications_of(person, "order_cancelled"))[0]
    assert told["body"] == cancelled_because("payment.wallet.insufficient_funds", "vi")


async def test_an_order_that_costs_nothing_is_told_when_it_is_confirmed(world):
    buyer, _ = await world.person(locale="en-US")
    seller, _ = await world.person(locale="en-US")
    for amount_minor in (1, 0):
        confirmed = OrderConfirmed(
            order_id=str(uuid7()),
            order_number=f"TH-26-00000{amount_minor}",
            buyer_id=str(buyer),
            seller_id=str(seller),
            shop_name="Baan Thai",
            total=Money(amount_minor=amount_minor, currency="THB"),
        )
        await world.handled(await world.publish(confirmed))
    [told] = await world.notifications_of(buyer, "order_confirmed")
    assert told["title"] == "Order TH-26-000000 is confirmed"
    [received] = await world.notifications_of(seller, "order_received")
    assert received["title"] == "New order TH-26-000000"


async def test_facts_of_one_poll_are_read_in_the_order_in_which_they_were_handled(idle_app):
    """They share a transaction."""
    person, numbers = UserId(uuid.uuid4()), list(range(20))
    async with idle_app.begin() as tx:
        for number in numbers:
            params = {"amount": number}
            command = NotifyPerson(
                source_id=uuid.uuid4(), user_id=person, notification_type="money_sent", params=params
            )
            await notify_people(NotifyPeople([command]), tx)
    async with idle_app.database.read(user_id=person) as conn:
        found = await list_notifications(conn, person, before=None, unread_only=False, limit=50)
    assert [each.params["amount"] for each in found] == numbers[::-1]


async def _mails(world, address, word):
    return [mail for mail in await world.sandbox.mails(address) if word in mail["subject"]]
