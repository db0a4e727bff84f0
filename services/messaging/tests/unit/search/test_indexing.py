"""What is put into the index and taken out of it, on ports in memory."""

from uuid import UUID

import pytest

from messaging.search.domain.blind import STRETCH, BlindIndex, stretch_of
from messaging.search.domain.question import Question, Tier
from messaging.search.usecases.index_messages import index_messages
from messaging.search.usecases.reindex_messages import PAGE, reindex_messages
from messaging_testing.fakes_search import WRITER, FakeSearchTx, a_message

ONE, TWO = UUID(int=701), UUID(int=702)


@pytest.fixture
def tx():
    return FakeSearchTx()


@pytest.fixture(scope="module")
def blind():
    return BlindIndex(b"k" * 32)


def add(tx, dialog_id, *seqs):
    tx.search.dialogs[dialog_id] = list(seqs)
    tx.search.messages.update({(dialog_id, seq): a_message(dialog_id, seq, f"word{seq}") for seq in seqs})


async def test_what_can_be_read_is_indexed_and_the_rest_taken_out(tx, blind):
    add(tx, ONE, 1, 2)
    assert await index_messages([(ONE, 2), (ONE, 1), (ONE, 1)], tx, blind) == 2
    del tx.search.messages[ONE, 1]
    assert await index_messages([(ONE, 1), (ONE, 2)], tx, blind) == 1
    assert list(tx.search.entries) == [(ONE, 2)]


async def test_an_entry_holds_blind_terms_that_its_question_asks_for(tx, blind):
    tx.search.messages[ONE, STRETCH + 1] = a_message(ONE, STRETCH + 1, "tickets for Chiang Mai")
    await index_messages([(ONE, STRETCH + 1)], tx, blind)
    [entry] = tx.search.entries.values()
    assert entry.stretch == stretch_of(STRETCH + 1) == 1
    assert "ticket" not in entry.terms
    question = Question.parse("chiang", sender_id=WRITER, kind="text")
    asked = question.condition(Tier.EXACT, blind).at(blind.of(ONE, 1))
    assert all(lexeme.strip("()") in entry.terms.split() for lexeme in asked.split(" & "))
    elsewhere = question.condition(Tier.EXACT, blind).at(blind.of(TWO, 1))
    assert not any(lexeme.strip("()") in entry.terms.split() for lexeme in elsewhere.split(" & "))


async def test_all_dialogs_are_indexed_anew_newest_first_a_page_a_transaction(tx, blind):
    add(tx, ONE, 1)
    add(tx, TWO, *range(1, PAGE + 2))
    told = []
    assert await reindex_messages(None, tx.begin, blind, told.append) == PAGE + 2
    assert told == [PAGE, PAGE + 1, PAGE + 2]
    assert len(tx.search.entries) == PAGE + 2


@pytest.mark.parametrize(("dialog_id", "found", "progress"), [(ONE, 2, [2]), (UUID(int=9), 0, [])])
async def test_one_dialog_alone_is_indexed_anew(tx, blind, dialog_id, found, progress):
    add(tx, ONE, 1, 2)
    add(tx, TWO, 1)
    told = []
    assert await reindex_messages(dialog_id, tx.begin, blind, told.append) == found
    assert told == progress
    assert {place[0] for place in tx.search.entries} <= {dialog_id}
