"""Records that cannot start, answer or cancel a saga are refused; what can be read is addressed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from orchestrator.domain.inputs import Cancel, Reply, Start
from orchestrator.entrypoints.consumers import addressed_input_of
from orchestrator.sagas.triggers import MalformedRecordError
from orchestrator_testing.builders import a_checkout
from orchestrator_testing.records import REPLIES, record
from sampan.orchestrator.v1.commands_pb2 import CancelOrderPayment, StartOrderPayment
from sampan.orchestrator.v1.reply_pb2 import OUTCOME_REJECTED, OUTCOME_SUCCEEDED, CommandReply

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COMMANDS = "private.orchestrator.commands.v1"


def a_reply(**changes: Any) -> CommandReply:
    values = {"reply_key": str(uuid4()), "command_id": str(uuid4()), "outcome": OUTCOME_SUCCEEDED}
    return CommandReply(**{**values, **changes})


def changed(change: Callable[[StartOrderPayment], Any]) -> StartOrderPayment:
    checkout = a_checkout()
    change(checkout)
    return checkout


def test_a_start_is_addressed_by_its_business_key() -> None:
    checkout = a_checkout()
    addressed = addressed_input_of(record(checkout, COMMANDS), NOW)
    assert addressed.key == ("order_payment", checkout.checkout_id)
    assert isinstance(addressed.event, Start)
    assert addressed.event.correlation_id == "flow"
    assert addressed.causation.traceparent == "00-x"


def test_one_checkout_is_one_key_however_it_is_written() -> None:
    plain = a_checkout()
    shouted = StartOrderPayment()
    shouted.CopyFrom(plain)
    shouted.checkout_id = plain.checkout_id.upper()
    assert (
        addressed_input_of(record(shouted, COMMANDS), NOW).key == addressed_input_of(record(plain, COMMANDS), NOW).key
    )


def test_a_reply_is_addressed_by_its_saga() -> None:
    reply = a_reply(outcome=OUTCOME_REJECTED, code="payment.wallet.insufficient_funds", detail="a\x00b" + "x" * 900)
    addressed = addressed_input_of(record(reply, REPLIES), NOW)
    assert addressed.saga_id == UUID(reply.reply_key)
    assert isinstance(addressed.event, Reply)
    assert not addressed.event.succeeded
    assert addressed.event.detail.startswith("abx")
    assert len(addressed.event.detail) == 500


def test_a_cancel_carries_its_reason() -> None:
    cancel = CancelOrderPayment(checkout_id=str(uuid4()), reason="buyer")
    addressed = addressed_input_of(record(cancel, COMMANDS), NOW)
    assert isinstance(addressed.event, Cancel)
    assert addressed.event.code == "buyer"


@pytest.mark.parametrize(
    "change",
    [
        lambda body: setattr(body, "checkout_id", "no-uuid"),
        lambda body: setattr(body, "buyer_id", ""),
        lambda body: setattr(body, "wallet_id", "x"),
        lambda body: setattr(body.total, "amount_minor", body.total.amount_minor + 1),
        lambda body: setattr(body.total, "currency", "XXX"),
        lambda body: setattr(body.orders[0].total, "currency", "VND"),
        lambda body: setattr(body.orders[0].total, "amount_minor", -1),
        lambda body: setattr(body.orders[0], "order_id", "x"),
        lambda body: setattr(body.orders[0], "seller_id", ""),
        lambda body: body.ClearField("orders"),
        lambda body: body.ClearField("total"),
    ],
)
def test_a_malformed_start_is_refused(change: Callable[[StartOrderPayment], Any]) -> None:
    with pytest.raises(MalformedRecordError):
        addressed_input_of(record(changed(change), COMMANDS), NOW)


@pytest.mark.parametrize(
    "reply",
    [
        a_reply(outcome=0),
        a_reply(outcome=OUTCOME_REJECTED),
        a_reply(reply_key="x"),
        a_reply(command_id=""),
    ],
    ids=["no outcome", "no code", "no saga", "no command"],
)
def test_a_malformed_reply_is_refused(reply: CommandReply) -> None:
    with pytest.raises(MalformedRecordError):
        addressed_input_of(record(reply, REPLIES), NOW)


@pytest.mark.parametrize(("body", "topic"), [(a_reply(), COMMANDS), (a_checkout(), REPLIES)])
def test_a_record_on_another_topic_than_its_own_is_refused(body: Any, topic: str) -> None:
    with pytest.raises(MalformedRecordError):
        addressed_input_of(record(body, topic), NOW)
