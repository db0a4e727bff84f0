"""What bots are told of dialogs, on ports in memory."""

import uuid
from datetime import timedelta

import orjson
import pytest

from messaging.bots.domain.bot import concerns_bot
from messaging.bots.usecases.collect_updates import EVENTS, PUT_OFF, collect_updates
from messaging.core.domain.stream import StreamEvent
from messaging_testing.fakes_bots import BOT, DIALOG, OTHER, FakeBotsTx, a_backlog


def said(text="hello", **parts):
    usual = {"sender_id": str(OTHER), "mentions": [], "reply_to_seq": None, "thread_seq": None}
    message = {**usual, "content": {"type": "text", "text": text}, **parts}
    return {"type": "message.new", "message": message}


def stream(*events, dialog_id=DIALOG):
    return [
        StreamEvent(dialog_id, seq, event["type"], orjson.dumps(event), message_seq=event.get("message_seq"))
        for seq, event in enumerate(events, 1)
    ]


@pytest.fixture
def tx():
    return FakeBotsTx()


@pytest.mark.parametrize(
    ("event", "concerned"),
    [
        (said(), False),
        (said("/help"), True),
        (said(mentions=[str(BOT)]), True),
        (said(reply_to_seq=4), True),
        (said(reply_to_seq=5), False),
        (said(thread_seq=4), True),
        (said("/help", sender_id=str(BOT)), False),
        ({"type": "member.changed", "member": {"user_id": str(BOT)}, "by": str(OTHER)}, True),
        ({"type": "member.changed", "member": {"user_id": str(BOT)}, "by": str(BOT)}, False),
        ({"type": "member.changed", "member": {"user_id": str(OTHER)}, "by": None}, False),
        ({"type": "dialog.changed"}, False),
    ],
)
def test_where_people_talk_a_bot_hears_what_is_meant_for_it(event, concerned):
    assert concerns_bot(a_backlog(), event, frozenset({4})) is concerned


@pytest.mark.parametrize("place", [{"kind": "bot"}, {"kind": "direct"}, {"role": "admin"}, {"role": "owner"}])
def test_alone_with_somebody_or_as_an_admin_it_hears_all_but_itself(place):
    backlog = a_backlog(**place)
    assert concerns_bot(backlog, said(), frozenset())
    assert not concerns_bot(backlog, said(sender_id=str(BOT)), frozenset())


async def test_what_concerns_a_bot_is_kept_and_all_counts_as_heard(tx):
    tx.bots.backlogs = [a_backlog()]
    tx.streams.events[DIALOG] = stream(said(), said("/help"), said(reply_to_seq=1), said())
    tx.bots.written[BOT] = {1}
    assert await collect_updates({}, tx) == {BOT}
    assert tx.bots.updates == [(DIALOG, [2, 3], 4)]


async def test_where_nothing_concerns_it_the_bot_is_not_notified(tx):
    tx.bots.backlogs = [a_backlog()]
    tx.streams.events[DIALOG] = stream(said(), said())
    assert await collect_updates({}, tx) == set()
    assert tx.bots.updates == [(DIALOG, [], 2)]


async def test_changes_of_messages_from_before_its_time_are_passed_over(tx):
    tx.bots.backlogs = [a_backlog(kind="bot", from_seq=2)]
    tx.streams.events[DIALOG] = stream({"type": "message.edited", "message_seq": 1}, said())
    await collect_updates({}, tx)
    assert tx.bots.updates == [(DIALOG, [2], 2)]


async def test_a_page_at_a_time(tx):
    tx.bots.backlogs = [a_backlog(kind="bot")]
    tx.streams.events[DIALOG] = stream(*[said()] * (EVENTS + 1))
    await collect_updates({}, tx)
    assert tx.bots.updates[0][2] == EVENTS


async def test_a_place_that_fails_is_left_for_a_while_and_the_others_have_their_turn(tx):
    bad, good = uuid.UUID(int=701), uuid.UUID(int=702)
    tx.bots.backlogs = [a_backlog(dialog_id=each, kind="bot") for each in (bad, good)]
    tx.streams.events = {each: stream(said(), dialog_id=each) for each in (bad, good)}
    tx.streams.broken = {bad}
    put_off = {}
    assert await collect_updates(put_off, tx) == {BOT}
    assert put_off == {(bad, BOT): tx.now + PUT_OFF}
    tx.streams.broken, tx.bots.updates = set(), []
    await collect_updates(put_off, tx)
    assert [dialog_id for dialog_id, _, _ in tx.bots.updates] == [good]
    tx.now += PUT_OFF + timedelta(seconds=1)
    tx.bots.updates = []
    await collect_updates(put_off, tx)
    assert [dialog_id for dialog_id, _, _ in tx.bots.updates] == [bad, good]
    assert put_off == {}
