"""A person is told a fact once, over the channels of its rule."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.ids import derived_id
from notification.domain.notification import Channel
from notification.domain.rules import RULES
from notification.usecases.notify_people import NotifyPeople, NotifyPerson, notify_people
from notification_testing.fakes import FakeTx


@pytest.fixture
def tx():
    return FakeTx()


def a_command(notification_type="order_paid"):
    return NotifyPerson(
        source_id=uuid.uuid4(),
        user_id=uuid.uuid4(),
        notification_type=notification_type,
        action_url="/orders/1",
        params={"order_number": "TH-26-000001"},
    )


async def test_the_notification_and_its_event_say_what_the_rule_says(tx):
    command, rule = a_command(), RULES["order_paid"]
    await notify_people(NotifyPeople([command]), tx)
    (told,) = tx.notifications.stored.values()
    assert told.notification_id == derived_id(command.source_id, f"order_paid:{command.user_id}")
    assert told.dedupe_key == f"order_paid:{command.source_id}"
    assert (told.category, told.priority) == (rule.category, rule.priority)
    assert (told.created_at, told.expires_at) == (tx.now, tx.now + rule.lifetime)
    assert (told.user_id, told.action_url, told.params) == (command.user_id, command.action_url, command.params)
    assert tx.events.created == [told]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.notification_type)
async def test_each_channel_outside_the_app_has_one_delivery(tx, rule):
    await notify_people(NotifyPeople([a_command(rule.notification_type)]), tx)
    (told,) = tx.notifications.stored.values()
    deliveries = tx.deliveries.waiting.values()
    assert {each.channel for each in deliveries} == rule.channels - {Channel.IN_APP}
    for each in deliveries:
        assert each.delivery_id == derived_id(told.notification_id, each.channel)
        assert (each.notification_id, each.user_id) == (told.notification_id, told.user_id)
        assert (each.message_type, each.params, each.priority) == (told.notification_type, told.params, told.priority)
        assert (each.created_at, each.expires_at, each.attempts) == (told.created_at, told.expires_at, 0)


async def test_a_repeat_tells_and_queues_nothing(tx):
    command = a_command("welcome")
    await notify_people(NotifyPeople([command]), tx)
    tx.deliveries.waiting.clear()
    await notify_people(NotifyPeople([replace(command, action_url="/elsewhere")]), tx)
    assert tx.deliveries.waiting == {}
    assert len(tx.events.created) == len(tx.notifications.stored) == 1


async def test_of_many_each_is_later_than_the_one_before(tx, monkeypatch):
    began = tx.now
    moments = iter([began + timedelta(microseconds=number) for number in range(100)])
    monkeypatch.setattr(type(tx), "now", property(lambda _: next(moments)), raising=False)
    await notify_people(NotifyPeople([a_command() for _ in range(10)]), tx)
    told = [each.created_at for each in tx.notifications.stored.values()]
    assert told == sorted(set(told))
