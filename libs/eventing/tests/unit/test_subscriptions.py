"""Subscriptions and the record option: topics come from the contracts, mistakes fail at import."""

import pytest

from eventing import Subscriptions, topic_of
from eventing.record_option import travel_of
from sampan.commerce.v1 import commands_pb2, order_pb2
from sampan.orchestrator.v1 import reply_pb2


async def _nothing(message, tx):
    pass


def test_the_topic_is_what_the_contract_says():
    assert topic_of(order_pb2.OrderPlaced) == "public.commerce.order.v1"
    assert topic_of(reply_pb2.CommandReply, "payment") == "private.payment.replies.v1"
    assert travel_of(order_pb2.OrderPlaced).key_field == "order_id"


def test_a_type_that_is_no_record_is_refused():
    with pytest.raises(TypeError, match="OrderLine"):
        topic_of(order_pb2.OrderLine)


def test_replies_need_a_topic_by_name():
    subscriptions = Subscriptions("orchestrator")
    with pytest.raises(ValueError, match="participant"):
        subscriptions.on(reply_pb2.CommandReply)(_nothing)
    subscriptions.on(reply_pb2.CommandReply, topic=["private.payment.replies.v1", "private.commerce.replies.v1"])(
        _nothing
    )
    assert subscriptions.topics == {"private.payment.replies.v1", "private.commerce.replies.v1"}


def test_two_handlers_for_one_type_are_refused():
    subscriptions = Subscriptions("commerce")
    subscriptions.on_command(commands_pb2.ReserveStock)(_nothing)
    with pytest.raises(ValueError, match="ReserveStock"):
        subscriptions.on_batch(commands_pb2.ReserveStock, commands=True)(_nothing)


def test_only_subscribed_types_are_found():
    subscriptions = Subscriptions("commerce")
    subscriptions.on(order_pb2.OrderPlaced)(_nothing)
    assert subscriptions.find("public.commerce.order.v1", "sampan.commerce.v1.OrderPlaced")
    assert subscriptions.find("public.commerce.order.v1", "sampan.commerce.v1.OrderPaid") is None
    assert subscriptions.find("public.commerce.shop.v1", "sampan.commerce.v1.OrderPlaced") is None
