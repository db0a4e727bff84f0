"""Over Kafka: wallets open for people who sign up, and saga commands are answered, once and rightly."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from eventing import topic_of
from kernel.ids import derived_id
from payment.domain.accounts import wallet_id
from payment_testing.people import balance, give
from sampan.auth.v1.user_pb2 import UserDeleted, UserProfileChanged, UserRegistered
from sampan.orchestrator.v1.reply_pb2 import OUTCOME_REJECTED, OUTCOME_SUCCEEDED, CommandReply
from sampan.payment.v1.commands_pb2 import (
    AuthorizePayment,
    CapturePayment,
    SellerShare,
    SettlePayment,
    VoidPayment,
)
from sampan.payment.v1.requests_pb2 import RequestTransfer
from sampan.types.v1.money_pb2 import Money
from testkit.wait import eventually

REPLIES = "private.payment.replies.v1"
TRANSFERS = "public.payment.transfer.v1"
EVENTS = ("public.payment.hold.v1", "public.payment.wallet.v1", "private.payment.dlq.v1", TRANSFERS)


class Bus:
    """A stand-in for the orchestrator and auth: sends records, collects what payment says."""

    def __init__(self, producer, prefix):
        self._producer, self._prefix = producer, prefix
        self.replies = defaultdict(list)  # command id -> replies
        self.events = defaultdict(list)  # topic -> records

    async def send(self, body, *, key, event_id=None, reply_key=None, value=None):
        event_id = event_id or uuid4()
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(event_id),
            "ce_type": body.DESCRIPTOR.full_name,
            "ce_source": "test",
            "ce_subject": str(key),
            "ce_time": datetime.now(UTC).isoformat(),
            "correlation_id": f"flow of {key}",
        }
        if reply_key:
            headers["reply_key"] = str(reply_key)
        await self._producer.send_and_wait(
            self._prefix + topic_of(type(body)),
            value if value is not None else body.SerializeToString(),
            key=str(key).encode(),
            headers=[(name, text.encode()) for name, text in headers.items()],
        )
        return event_id

    async def command(self, saga, step, body):
        """As the orchestrator sends it; the id is the same for the same step."""
        return await self.send(body, key=body.checkout_id, event_id=derived_id(saga, f"{step}:do"), reply_key=saga)

    async def answer(self, command_id, count=1):
        """The newest of at least ``count`` replies to a command."""
        await eventually(lambda: len(self.replies[command_id]) >= count, timeout_s=30, what="a reply")
        return self.replies[command_id][-1]

    async def collect(self, consumer):
        async for record in consumer:
            topic = record.topic.removeprefix(self._prefix)
            if topic == REPLIES:
                reply = CommandReply.FromString(record.value)
                assert record.key.decode() == reply.reply_key
                assert dict(record.headers)["causation_id"].decode() == reply.command_id
                self.replies[UUID(reply.command_id)].append(reply)
            else:
                self.events[topic].append(record)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bus(kafka, streams):
    producer = AIOKafkaProducer(**kafka.connection())
    consumer = AIOKafkaConsumer(
        *(kafka.topic_prefix + name for name in (REPLIES, *EVENTS)),
        **kafka.connection(),
        auto_offset_reset="earliest",
    )
    await producer.start()
    await consumer.start()
    made = Bus(producer, kafka.topic_prefix)
    collecting = asyncio.create_task(made.collect(consumer))
    yield made
    collecting.cancel()
    await asyncio.gather(collecting, return_exceptions=True)
    await consumer.stop()
    await producer.stop()


def registered(user, country="TH", **more):
    return UserRegistered(user_id=str(user), country=country, kyc_tier=3, time_zone="Asia/Bangkok", **more)


async def signed_up(streams, bus, amount_minor=10_000):
    """A person with money in a wallet that opened by itself."""
    user = uuid4()
    await bus.send(registered(user), key=user)

    async def opened():
        async with streams.database.read() as conn:
            return await conn.fetchval("SELECT true FROM account WHERE id = $1", wallet_id(user, "THB"))

    await eventually(opened, timeout_s=30, what="the wallet")
    async with streams.database.begin() as conn:
        await give(conn, user, amount_minor, now=datetime.now(UTC))
    return user


async def of(streams, user):
    async with streams.database.read() as conn:
        return await balance(conn, user)


def thb(amount_minor):
    return Money(amount_minor=amount_minor, currency="THB")


class Order:
    """The commands of one saga."""

    def __init__(self, user, amount_minor=1_000):
        self.saga, self.checkout, self.user, self.amount = uuid4(), str(uuid4()), user, amount_minor
        self.hold = str(derived_id(self.saga, "hold"))

    def authorize(self, **more):
        return AuthorizePayment(
            checkout_id=self.checkout,
            hold_id=self.hold,
            user_id=str(self.user),
            amount=thb(self.amount),
            hold_s=600,
            **more,
        )

    def capture(self, amount_minor=None):
        return CapturePayment(checkout_id=self.checkout, hold_id=self.hold, amount=thb(amount_minor or self.amount))

    def settle(self, *shares):
        return SettlePayment(
            checkout_id=self.checkout,
            hold_id=self.hold,
            shares=[
                SellerShare(order_id=str(uuid4()), seller_id=str(seller), amount=thb(amount))
                for seller, amount in shares
            ],
        )

    def void(self):
        return VoidPayment(checkout_id=self.checkout, hold_id=self.hold, reason_code="test")


@pytest.mark.parametrize(("country", "currency"), [("VN", "VND"), ("SG", "SGD"), ("PH", "PHP")])
async def test_a_wallet_opens_in_the_currency_of_the_country(streams, bus, country, currency):
    user = uuid4()
    for _ in range(2):  # the same sign-up twice opens one wallet
        await bus.send(registered(user, country), key=user, event_id=derived_id(user, "registered"))
    key = str(wallet_id(user, currency)).encode()
    await eventually(
        lambda: [record for record in bus.events["public.payment.wallet.v1"] if record.key == key], timeout_s=30
    )
    async with streams.database.read() as conn:
        rows = await conn.fetch("SELECT currency, is_primary FROM account WHERE user_id = $1", user)
    assert [tuple(row) for row in rows] == [(currency, True)]


async def test_an_order_is_authorised_captured_and_settled(streams, bus):
    user, seller = await signed_up(streams, bus), uuid4()
    order = Order(user)
    for step, body, after in (
        ("authorize", order.authorize(), (10_000, 1_000)),
        ("capture", order.capture(), (9_000, 0)),
        ("settle", order.settle((seller, 600), (user, 400)), (9_000, 0)),
    ):
        reply = await bus.answer(await bus.command(order.saga, step, body))
        assert (reply.outcome, reply.code) == (OUTCOME_SUCCEEDED, ""), reply
        assert await of(streams, user) == after
    async with streams.database.read() as conn:
        pending = await conn.fetchval(
            "SELECT sum(balance_minor) FROM account WHERE user_id = $1 AND kind = 'seller_pending'", seller
        )
    assert pending == 600

    def told():
        mine = [r for r in bus.events["public.payment.hold.v1"] if r.key.decode() == order.hold]
        return [(dict(r.headers)["ce_type"], dict(r.headers)["aggregate_version"]) for r in mine]

    await eventually(lambda: len(told()) == 4, timeout_s=20)
    assert told() == [
        (b"sampan.payment.v1.PaymentAuthorized", b"1"),
        (b"sampan.payment.v1.PaymentCaptured", b"2"),
        (b"sampan.payment.v1.PaymentSettled", b"3"),
        (b"sampan.payment.v1.PaymentSettled", b"4"),
    ]


async def test_a_buyer_without_funds_is_rejected_with_the_reason(streams, bus):
    order = Order(await signed_up(streams, bus, 500))
    reply = await bus.answer(await bus.command(order.saga, "authorize", order.authorize()))
    assert (reply.outcome, reply.code) == (OUTCOME_REJECTED, "payment.wallet.insufficient_funds")
    reply = await bus.answer(await bus.command(order.saga, "void", order.void()))
    assert reply.outcome == OUTCOME_SUCCEEDED
    assert await of(streams, order.user) == (500, 0)


async def test_money_asked_for_by_a_service_moves_once_and_its_outcome_is_an_event(streams, bus):
    sender, recipient = await signed_up(streams, bus), await signed_up(streams, bus, 1)

    paid, refused = uuid4(), uuid4()

    async def ask(amount_minor, transfer_id):
        request = RequestTransfer(
            transfer_id=str(transfer_id),
            sender_id=str(sender),
            recipient_id=str(recipient),
            amount=Money(amount_minor=amount_minor, currency="THB"),
        )
        await bus.send(request, key=paid)  # one key, so that what is asked last is heard last

    def told(transfer_id):
        return [
            dict(each.headers)["ce_type"].decode()
            for each in bus.events[TRANSFERS]
            if each.key.decode() == str(transfer_id)
        ]

    for _ in range(3):
        await ask(400, paid)
    await ask(99_999_999, refused)
    await eventually(lambda: told(refused) and told(paid), timeout_s=30, what="both outcomes")
    assert told(refused) == ["sampan.payment.v1.TransferRefused"]
    assert told(paid) == ["sampan.payment.v1.TransferCompleted"]
    assert (await of(streams, sender), await of(streams, recipient)) == ((9_600, 0), (401, 0))


async def test_a_command_sent_again_is_answered_again_and_done_once(streams, bus):
    order = Order(await signed_up(streams, bus))
    for count in (1, 2, 3):
        command = await bus.command(order.saga, "authorize", order.authorize())
        assert (await bus.answer(command, count)).outcome == OUTCOME_SUCCEEDED
    assert await of(streams, order.user) == (10_000, 1_000)
    broke = Order(await signed_up(streams, bus, 1))
    first = await bus.answer(await bus.command(broke.saga, "authorize", broke.authorize()))
    async with streams.database.begin() as conn:
        await give(conn, broke.user, 50_000, now=datetime.now(UTC))
    again = await bus.answer(await bus.command(broke.saga, "authorize", broke.authorize()), 2)
    assert first == again
    assert again.outcome == OUTCOME_REJECTED


async def test_a_void_overtakes_its_authorisation(streams, bus):
    order = Order(await signed_up(streams, bus))
    assert (await bus.answer(await bus.command(order.saga, "void", order.void()))).outcome == OUTCOME_SUCCEEDED
    late = await bus.answer(await bus.command(order.saga, "authorize", order.authorize()))
    assert (late.outcome, late.code) == (OUTCOME_REJECTED, "payment.hold.wrong_state")
    assert await of(streams, order.user) == (10_000, 0)


async def test_another_persons_wallet_is_refused(streams, bus):
    order, other = Order(await signed_up(streams, bus)), await signed_up(streams, bus)
    body = order.authorize(wallet_id=str(wallet_id(other, "THB")))
    reply = await bus.answer(await bus.command(order.saga, "authorize", body))
    assert (reply.outcome, reply.code) == (OUTCOME_REJECTED, "payment.wallet.not_found")


async def test_many_orders_at_once_good_and_bad(streams, bus):
    rich, poor = await signed_up(streams, bus, 100_000), await signed_up(streams, bus, 1_500)
    orders = [Order(rich if number % 3 else poor) for number in range(60)]
    commands = [await bus.command(order.saga, "authorize", order.authorize()) for order in orders]
    replies = [await bus.answer(command) for command in commands]
    good = sum(reply.outcome == OUTCOME_SUCCEEDED for reply in replies)
    assert good == 41
    assert {reply.code for reply in replies if reply.outcome == OUTCOME_REJECTED} == {
        "payment.wallet.insufficient_funds"
    }
    assert await of(streams, rich) == (100_000, 40_000)
    assert await of(streams, poor) == (1_500, 1_000)


async def test_unreadable_commands_are_put_aside_and_others_go_on(streams, bus):
    order = Order(await signed_up(streams, bus))
    await bus.send(order.authorize(), key=uuid4(), reply_key=uuid4(), value=b"\xff\xff\xff")
    unreadable = order.authorize()
    unreadable.hold_id = "not an id"
    saga = uuid4()
    reply = await bus.answer(await bus.command(saga, "authorize", unreadable))
    assert (reply.outcome, reply.code) == (OUTCOME_REJECTED, "payment.command.invalid")
    assert (
        await bus.answer(await bus.command(order.saga, "authorize", order.authorize()))
    ).outcome == OUTCOME_SUCCEEDED
    await eventually(
        lambda: [r for r in bus.events["private.payment.dlq.v1"] if r.value == b"\xff\xff\xff"], timeout_s=20
    )


async def test_the_tier_follows_the_profile_and_a_deleted_account_is_suspended(streams, bus):
    user = await signed_up(streams, bus, 10_000_000)
    order = Order(user, 1_000 * 3500 + 1)
    changed = UserProfileChanged(user_id=str(user), country="TH", kyc_tier=1, time_zone="Mars/Olympus")
    await bus.send(changed, key=user)

    async def tier():
        async with streams.database.read() as conn:
            return await conn.fetchval("SELECT kyc_tier FROM payer WHERE user_id = $1", user)

    await eventually(lambda: _is(tier, 1), timeout_s=20)
    reply = await bus.answer(await bus.command(order.saga, "authorize", order.authorize()))
    assert reply.code == "payment.limit.transaction"
    await bus.send(UserDeleted(user_id=str(user)), key=user)

    async def status():
        async with streams.database.read() as conn:
            return await conn.fetchval("SELECT status FROM account WHERE id = $1", wallet_id(user, "THB"))

    await eventually(lambda: _is(status, "suspended"), timeout_s=20)
    order = Order(user, 5)
    reply = await bus.answer(await bus.command(order.saga, "authorize", order.authorize()))
    assert reply.code == "payment.wallet.not_active"


async def _is(look, expected):
    return await look() == expected
