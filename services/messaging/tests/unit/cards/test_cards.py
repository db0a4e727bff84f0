"""Money that is sent in a dialog, and cards that follow what they show, on ports in memory."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from kernel.money import Currency, Money
from messaging.cards.adapters.events import PaymentEvents
from messaging.cards.domain.payment import RecipientInvalidError, transfer_id_of
from messaging.cards.usecases.follow_entities import follow_entities
from messaging.cards.usecases.send_payment import SendPayment, send_payment
from messaging.core.domain.cards import Entity, EntityType
from messaging.core.domain.dialog import DialogKind, DialogNotFoundError, MemberStatus, SlowModeError
from messaging.core.domain.message import ClientMessageIdReusedError, Earlier
from messaging.core.domain.permissions import Role
from messaging_testing.fakes_cards import FakeCardsTx

SENDER, RECIPIENT = UUID(int=500), UUID(int=501)
PEOPLE = [(SENDER, Role.MEMBER), (RECIPIENT, Role.MEMBER)]
AMOUNT = Money(5_000, Currency.THB)


@pytest.fixture
def tx():
    return FakeCardsTx()


@pytest.fixture
def dialog(tx):
    return tx.dialog(DialogKind.GROUP, *PEOPLE)


def paying(dialog, **parts):
    usual = {"sender_id": SENDER, "client_message_id": UUID(int=7), "recipient_id": RECIPIENT, "note": "lunch"}
    return SendPayment(**{"dialog_id": dialog.dialog_id, "amount": AMOUNT, **usual, **parts})


async def test_the_message_its_card_and_the_request_are_of_one_transfer(tx, dialog):
    sent = await send_payment(paying(dialog), tx)
    [transfer] = tx.payments.requested
    assert transfer.transfer_id == transfer_id_of(SENDER, dialog.dialog_id, UUID(int=7))
    [(_, message, extras)] = tx.stream.posted
    assert message.content == {
        "type": "payment",
        "transfer_id": str(transfer.transfer_id),
        "recipient_id": str(RECIPIENT),
        "amount": {"amount_minor": 5_000, "currency": "THB"},
        "text": "lunch",
    }
    assert extras["card"] == transfer.pending.shown()
    card = tx.entities.by_key[EntityType.TRANSFER, transfer.transfer_id]
    assert (card.version, card.state["status"], card.parties) == (1, "pending", (SENDER, RECIPIENT))
    assert (EntityType.TRANSFER, transfer.transfer_id, dialog.dialog_id, sent.seq) in tx.entities.cards


async def test_a_retry_is_answered_and_pays_nothing_more(tx, dialog):
    first = await send_payment(paying(dialog), tx)
    [(_, message, _)] = tx.stream.posted
    place = (dialog.dialog_id, SENDER, UUID(int=7))
    tx.sends.earlier[place] = Earlier(first.seq, message.body_hash, first.sent_at)
    again = await send_payment(paying(dialog), tx)
    assert (again.seq, again.replayed, len(tx.payments.requested)) == (first.seq, True, 1)
    with pytest.raises(ClientMessageIdReusedError):
        await send_payment(paying(dialog, amount=Money(1, Currency.THB)), tx)


@pytest.mark.parametrize("recipient_id", [SENDER, UUID(int=9)])
async def test_money_is_sent_to_another_member(tx, dialog, recipient_id):
    with pytest.raises(RecipientInvalidError):
        await send_payment(paying(dialog, recipient_id=recipient_id), tx)
    assert (tx.payments.requested, tx.stream.posted) == ([], [])


async def test_who_has_left_gets_none_and_sends_none(tx, dialog):
    tx.change_member(dialog, RECIPIENT, status=MemberStatus.LEFT)
    with pytest.raises(RecipientInvalidError):
        await send_payment(paying(dialog), tx)
    with pytest.raises(DialogNotFoundError):
        await send_payment(paying(dialog, sender_id=RECIPIENT, recipient_id=SENDER), tx)
    assert tx.payments.requested == []


async def test_slow_mode_holds_for_money_too(tx):
    dialog = tx.dialog(DialogKind.GROUP, *PEOPLE, slow_mode_s=60)
    tx.change_member(dialog, SENDER, last_sent_at=tx.now - timedelta(seconds=1))
    with pytest.raises(SlowModeError):
        await send_payment(paying(dialog), tx)
    assert tx.payments.requested == []


async def test_only_the_newest_of_an_entity_changes_its_cards(tx, dialog):
    order = Entity(type=EntityType.PRODUCT, id=uuid4(), version=1, state={"title": "Lamp", "status": "active"})
    await tx.entities.upsert([order], tx.now)
    await tx.entities.tie_cards([(order.type, order.id, dialog.dialog_id, 3)])
    sold_out = replace(order, version=3, state={"title": "Lamp", "status": "out_of_stock"})
    kept = await follow_entities([replace(order, version=2), sold_out], tx)
    assert [(each.version, each.state["status"]) for each in kept] == [(3, "out_of_stock")]
    [told] = tx.stream.told("card.changed")
    assert (told["card"], told["message_seq"]) == (kept[0].shown(), 3)
    assert await follow_entities([sold_out], tx) == []
    assert len(tx.stream.told("card.changed")) == 1


class Outbox:
    def __init__(self):
        self.records = []

    def add(self, record):
        self.records.append(record)


async def test_payment_is_asked_by_a_record(tx, dialog):
    await send_payment(paying(dialog, note="x" * 200), tx)
    outbox = Outbox()
    PaymentEvents(outbox).transfer_requested(tx.payments.requested[0], tx.now)
    [record] = outbox.records
    assert (record.sender_id, record.recipient_id) == (str(SENDER), str(RECIPIENT))
    assert (record.amount.amount_minor, record.amount.currency) == (5_000, "THB")
    assert (len(record.note), record.requested_at.ToSeconds()) == (140, int(tx.now.timestamp()))
