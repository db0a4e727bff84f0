"""The registry says what the proto files say, and personal data does not get past mask."""

import pytest

from contracts import Audience, mask, record_of, record_type, record_types
from contracts.examples import example
from sampan.auth.v1.user_pb2 import UserRegistered
from sampan.commerce.v1.order_pb2 import OrderLine, OrderPlaced
from sampan.notification.v1.commands_pb2 import SendOtp
from sampan.orchestrator.v1.reply_pb2 import CommandReply


def test_a_record_type_is_found_by_message_class_and_name():
    record = record_of(UserRegistered(user_id="u"))
    assert record is record_of(UserRegistered) is record_type("sampan.auth.v1.UserRegistered")
    assert (record.owner, record.audience, record.topic, record.key) == (
        "auth",
        Audience.PUBLIC,
        "public.auth.user.v1",
        "user_id",
    )
    assert record.message is UserRegistered
    assert record.pii == {"display_name", "email", "phone_e164"}


def test_a_part_of_a_record_is_no_record():
    with pytest.raises(KeyError):
        record_of(OrderLine)


def test_replies_travel_on_the_topic_of_who_answers():
    record = record_of(CommandReply)
    assert record.topic_of("payment") == "private.payment.replies.v1"
    with pytest.raises(ValueError, match="participant"):
        record.topic_of()


def test_mask_hides_personal_fields_and_only_those():
    masked = mask(SendOtp(otp_id="o-1", destination="+66812345678", code="493027", channel="sms"))
    assert masked == {"otp_id": "o-1", "destination": "***", "code": "***", "channel": "sms"}


def test_mask_leaves_out_what_is_not_set():
    assert mask(UserRegistered(user_id="u")) == {"user_id": "u"}


def test_mask_keeps_nested_values_that_are_not_personal():
    placed = OrderPlaced(lines=[OrderLine(sku="A", quantity=2)])
    placed.total.amount_minor = 5
    assert mask(placed) == {"lines": [{"sku": "A", "quantity": "2"}], "total": {"amount_minor": "5"}}


@pytest.mark.parametrize("record", record_types().values(), ids=lambda record: record.short_name)
def test_every_personal_field_of_every_example_is_masked(record):
    message, shown = example(record), mask(example(record))
    for path in record.pii:
        value, hidden = message, shown
        for name in path.split("."):
            value, hidden = getattr(value, name), hidden[name]
        assert value
        assert hidden == "***"
