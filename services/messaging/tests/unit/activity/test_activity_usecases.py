"""What happens in dialogs and whom it concerns, on ports in memory."""

from datetime import timedelta
from uuid import UUID

import pytest

from messaging.activity.domain.activity import (
    JOINS_TOLD_MEMBERS_MAX,
    Joining,
    LatestReaction,
    Newcomer,
    OrderStep,
    Reacted,
    activity_id,
    last_id,
)
from messaging.activity.usecases.note_joinings import note_joinings
from messaging.activity.usecases.note_messages import note_messages
from messaging.activity.usecases.note_orders import note_orders
from messaging.activity.usecases.note_reactions import note_reactions
from messaging_testing.fakes_activity import FakeActivityTx
from messaging_testing.fakes_core import NOW

DIALOG, WRITER, READER, TALKER, KEEPER = (UUID(int=number) for number in (700, 500, 501, 502, 503))


@pytest.fixture
def tx():
    return FakeActivityTx()


def store(tx, seq, sender_id=WRITER, **values):
    usual = {"mentions": [], "reply_to_seq": None, "thread_seq": None}
    tx.messages.store(DIALOG, seq, sender_id=sender_id, content={}, **{**usual, **values})


async def note(tx, *seqs):
    await note_messages([(DIALOG, seq) for seq in seqs], tx)


async def test_who_is_named_and_who_is_answered_is_told_once(tx):
    store(tx, 1, READER)
    store(tx, 2, reply_to_seq=1, mentions=[str(TALKER)])
    for _ in range(2):
        await note(tx, 2, 2)
    assert tx.types() == {READER: "reply", TALKER: "mention"}
    [told] = [each for each in tx.activities.own.values() if each.user_id == READER]
    assert (told.actor_id, told.seq, told.payload) == (WRITER, 2, {"message_type": "text"})


async def test_who_is_both_named_and_answered_is_named(tx):
    store(tx, 1, READER)
    store(tx, 2, reply_to_seq=1, mentions=[str(READER)])
    await note(tx, 2)
    assert tx.types() == {READER: "mention"}


async def test_an_answer_in_a_thread_concerns_who_began_it_and_who_talks_there(tx):
    store(tx, 1, READER)
    tx.happenings.talkers[DIALOG, 1] = [TALKER]
    store(tx, 2, thread_seq=1)
    await note(tx, 2)
    assert tx.types() == {READER: "reply", TALKER: "reply"}
    assert {each.payload["thread_seq"] for each in tx.activities.own.values()} == {1}


@pytest.mark.parametrize(
    ("mentions", "targets"),
    [(["@all"], ["@all"]), (["@admin", "@owner"], ["@admin", "@owner"]), (["@admin", "@all"], ["@all"]), ([], [])],
)
async def test_a_call_for_all_is_one_row_and_holds_every_role(tx, mentions, targets):
    store(tx, 1, READER)
    store(tx, 2, reply_to_seq=1, mentions=mentions)
    await note(tx, 2)
    assert [each.target for each in tx.activities.for_all] == targets
    assert tx.types() == {READER: "mention" if "@all" in mentions else "reply"}


async def test_a_deleted_message_concerns_nobody_any_more(tx):
    store(tx, 1, mentions=[str(READER)], deleted_at=NOW)
    store(tx, 2, None, mentions=[str(READER)])
    await note(tx, 1, 2, 3)
    assert (tx.activities.own, tx.activities.removed) == ({}, [(DIALOG, 1)])


async def test_a_reaction_is_one_row_with_the_latest_and_goes_when_it_is_taken_back(tx):
    reacted = Reacted(DIALOG, 1, READER, WRITER)
    tx.happenings.reactions[DIALOG, 1, READER] = LatestReaction("👍", NOW)
    await note_reactions([reacted, reacted, Reacted(DIALOG, 2, READER, None)], tx)
    [told] = tx.activities.own.values()
    assert (told.user_id, told.actor_id, told.payload) == (WRITER, READER, {"emoji": "👍"})
    tx.happenings.reactions.clear()
    await note_reactions([reacted], tx)
    assert tx.activities.own == {}


@pytest.mark.parametrize(
    ("by", "newcomer", "told"),
    [
        (KEEPER, Newcomer(NOW, 3, "group", 9), {READER: "invite"}),
        (None, Newcomer(NOW, 3, "group", 9), {KEEPER: "join"}),
        (READER, Newcomer(NOW, 3, "group", 9), {KEEPER: "join"}),
        (None, Newcomer(NOW, 3, "group", JOINS_TOLD_MEMBERS_MAX + 1), {}),
        (KEEPER, Newcomer(NOW, 3, "direct", 2), {}),
        (KEEPER, Newcomer(NOW - timedelta(seconds=2), 3, "group", 9), {}),
        (KEEPER, None, {}),
    ],
)
async def test_who_hears_of_somebody_new(tx, by, newcomer, told):
    tx.happenings.keepers[DIALOG] = [KEEPER]
    if newcomer is not None:
        tx.happenings.places[DIALOG, READER] = newcomer
    await note_joinings([Joining(DIALOG, READER, by, NOW)], tx)
    assert tx.types() == told


async def test_a_step_of_an_order_is_told_once_to_each(tx):
    step = OrderStep(order_id=UUID(int=1), number="A-1", status="paid", people=(READER, WRITER, READER), at=NOW)
    for _ in range(2):
        await note_orders([step], tx)
    assert tx.types() == {READER: "order", WRITER: "order"}
    assert {each.payload["order_number"] for each in tx.activities.own.values()} == {"A-1"}


def test_ids_sort_by_time_and_a_retry_makes_the_same():
    assert activity_id(NOW, "a") == activity_id(NOW, "a") != activity_id(NOW, "b")
    assert activity_id(NOW, "a") <= last_id(NOW) < activity_id(NOW + timedelta(milliseconds=1), "a")
