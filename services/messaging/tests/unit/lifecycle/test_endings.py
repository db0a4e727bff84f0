"""Accounts that end, and people that are erased, on ports in memory."""

from datetime import timedelta
from uuid import UUID

import pytest

from messaging.lifecycle.usecases import erase_person as erasing
from messaging.lifecycle.usecases import tidy_ended_account as tidying
from messaging.lifecycle.usecases.end_account import EndAccount, end_account
from messaging.lifecycle.usecases.erase_person import BATCH, ErasePerson, erase_person
from messaging.lifecycle.usecases.tidy_ended_account import LOOKED_OVER_AGAIN, tidy_ended_account
from messaging_testing.fakes_bots import BOT, OWNER, a_bot
from messaging_testing.fakes_core import NOW
from messaging_testing.fakes_lifecycle import FakeKeys, FakeLifecycleTx

DIALOG = UUID(int=700)


@pytest.fixture
def tx():
    made = FakeLifecycleTx()
    made.bots.by_id[BOT] = a_bot()
    return made


@pytest.fixture
def left(monkeypatch):
    """Whether there are more dialogs to leave, for each time that is asked."""
    more = []

    async def leave_dialogs(*_):
        return more.pop(0) if more else False

    monkeypatch.setattr(tidying, "leave_dialogs", leave_dialogs)
    monkeypatch.setattr(erasing, "leave_dialogs", leave_dialogs)
    return more


async def test_an_account_ends_with_its_bots_and_who_looks_is_told(tx):
    await end_account(EndAccount(user_id=OWNER, ended_at=NOW), tx)
    assert tx.endings.ended == {OWNER: NOW, BOT: NOW}
    assert (tx.endings.acts_ended, tx.bots.by_id) == ([OWNER], {})
    assert len(tx.visibilities) == 1


async def test_what_is_left_of_an_account_is_looked_over_until_nothing_is(tx, left):
    left.append(True)
    await tidy_ended_account(OWNER, tx.now, tx.begin)
    assert tx.endings.due == {OWNER: tx.now}
    await tidy_ended_account(OWNER, tx.now, tx.begin)
    assert tx.endings.due == {OWNER: tx.now + LOOKED_OVER_AGAIN}
    assert tx.bots.by_id != {}
    requested_at = tx.now
    tx.later(LOOKED_OVER_AGAIN + timedelta(seconds=1))
    await tidy_ended_account(OWNER, requested_at, tx.begin)
    assert tx.endings.due == {OWNER: None}
    assert tx.endings.ended == {BOT: tx.now}


def erasing_of(user_id=OWNER):
    return ErasePerson(user_id=user_id, reason="requested", now=NOW)


async def test_the_key_goes_first_and_every_step_is_noted(tx, left):
    tx.erasures.own_rows = BATCH + 1
    told, keys = [], FakeKeys()
    await erase_person(erasing_of(), tx.begin, keys, told.append)
    assert (tx.erasures.shredded, keys.forgotten) == ([OWNER], [OWNER])
    assert tx.erasures.done == ["key", "bots", "dialogs", "search", "own rows"]
    assert told == ["what they wrote is unreadable", *(f"{step}: done" for step in tx.erasures.done[1:])]
    assert (tx.erasures.own_rows, tx.erasures.blanked, tx.bots.blanked) == (0, ["reports", "files"], True)
    assert tx.erasures.finished
    assert tx.endings.ended[OWNER] == NOW


async def test_an_erasure_goes_on_where_it_was(tx, left):
    tx.erasures.done = ["key", "bots", "dialogs"]
    await erase_person(erasing_of(), tx.begin, FakeKeys())
    assert tx.erasures.shredded == []
    assert not tx.bots.blanked
    assert tx.erasures.done[3:] == ["search", "own rows"]
    assert tx.erasures.finished


async def test_one_that_is_killed_is_not_finished(tx, left, monkeypatch):
    async def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(erasing._STEPS, "search", killed)
    with pytest.raises(KeyboardInterrupt):
        await erase_person(erasing_of(), tx.begin, FakeKeys())
    assert (tx.erasures.done, tx.erasures.finished) == (["key", "bots", "dialogs"], False)


async def test_what_they_wrote_leaves_the_index(tx, left, monkeypatch):
    async def dialogs_of(_user_id, after, _limit, *, present):
        assert not present
        return [DIALOG] if after < DIALOG else []

    monkeypatch.setattr(tx.members, "dialogs_of", dialogs_of, raising=False)
    tx.erasures.written = [(DIALOG, seq) for seq in range(1, BATCH + 2)]
    tx.search.entries = dict.fromkeys([*tx.erasures.written, (DIALOG, 9_999)])
    await erase_person(erasing_of(), tx.begin, FakeKeys())
    assert list(tx.search.entries) == [(DIALOG, 9_999)]
