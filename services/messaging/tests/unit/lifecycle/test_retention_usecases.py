"""What is past its time, and what a legal hold keeps, on ports in memory."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from messaging.lifecycle.domain.hold import NoSuchDialogError
from messaging.lifecycle.domain.month import AHEAD, TABLES, Month, following, wanted_months
from messaging.lifecycle.usecases.apply_retention import BATCH, ApplyRetention, apply_retention
from messaging.lifecycle.usecases.hold_dialog import hold_dialog
from messaging.lifecycle.usecases.make_months import make_months
from messaging_testing.fakes_core import NOW
from messaging_testing.fakes_lifecycle import FakeLifecycleTx

GOOD, BAD = UUID(int=702), UUID(int=701)


@pytest.fixture
def tx():
    return FakeLifecycleTx()


def applying(days_max=None):
    return ApplyRetention(days_max=days_max, now=NOW)


async def test_what_is_too_old_is_hidden_told_and_deleted_in_batches(tx):
    dialog = tx.dialog()
    tx.retention.due = {dialog.dialog_id: 5}
    tx.retention.behind = {dialog.dialog_id: BATCH + 1}
    tx.retention.rows = {dialog.dialog_id: BATCH + 2}
    tx.retention.account_changes = BATCH + 3
    ended = await apply_retention(applying(), tx.begin)
    assert (ended.dialogs, ended.rows, ended.months, ended.account_changes) == (1, BATCH + 2, 0, BATCH + 3)
    assert tx.retention.oldest == {dialog.dialog_id: 5}
    assert tx.stream.told("dialog.changed") == [{"dialog": {"oldest_seq": 5}}]
    assert tx.retention.behind == {dialog.dialog_id: 0}


@pytest.mark.parametrize("first_kept", [None, 1])
async def test_a_dialog_that_keeps_everything_is_not_told(tx, first_kept):
    dialog = tx.dialog()
    tx.retention.due = {dialog.dialog_id: first_kept}
    await apply_retention(applying(), tx.begin)
    assert (tx.retention.oldest, tx.stream.changes) == ({}, [])


async def test_a_dialog_that_fails_holds_up_no_other(tx):
    dialogs = [tx.dialog() for _ in range(2)]
    bad, good = (each.dialog_id for each in dialogs)
    tx.retention.due = {bad: 5, good: 5}
    tx.retention.rows = {bad: 1, good: 1}
    tx.retention.broken = {bad}
    ended = await apply_retention(applying(), tx.begin)
    assert (ended.dialogs, ended.rows, tx.retention.oldest) == (1, 1, {good: 5})


async def test_months_are_dropped_when_all_in_them_is_past_its_time(tx):
    this = NOW.date().replace(day=1)
    tx.months.there = [Month(table, following(this, n)) for table in TABLES for n in (-3, -1, 0)]
    tx.months.held, tx.months.busy = 4, {TABLES[0]}
    ended = await apply_retention(applying(days_max=40), tx.begin)
    assert (ended.months, ended.held) == (2, 8)
    assert sorted(each.first for each in tx.months.there if each.table == TABLES[1]) == [following(this, -1), this]
    assert len(await tx.months.months_of(TABLES[0])) == 3
    assert (await apply_retention(applying(), tx.begin)).months == 0


async def test_months_to_come_are_made_once_and_one_that_is_busy_later(tx):
    tx.months.busy = {TABLES[0]}
    assert await make_months(NOW, tx.begin) == (len(TABLES) - 1) * (AHEAD + 1)
    tx.months.busy = set()
    assert await make_months(NOW, tx.begin) == AHEAD + 1
    assert await make_months(NOW, tx.begin) == 0
    assert set(tx.months.there) == set(wanted_months(NOW))


def test_months_follow_each_other_over_the_year():
    assert [following(date(2026, 11, 1), n) for n in (0, 2, -11)] == [
        date(2026, 11, 1),
        date(2027, 1, 1),
        date(2025, 12, 1),
    ]
    late = datetime(2026, 12, 31, 23, tzinfo=UTC) + timedelta(minutes=59)
    assert wanted_months(late)[0] == Month(TABLES[0], date(2026, 12, 1))
    assert Month("message", date(2026, 12, 1)).name == "message_202612"
    assert Month("message", date(2026, 12, 1)).end == date(2027, 1, 1)


async def test_a_hold_that_is_lifted_frees_what_only_it_kept(tx):
    tx.holds.held = {GOOD: False}
    assert [await hold_dialog(GOOD, tx, held=True) for _ in range(2)] == [True, False]
    assert (tx.holds.released, tx.erasures.keys_freed) == ([], 0)
    assert await hold_dialog(GOOD, tx, held=False)
    assert (tx.holds.released, tx.erasures.keys_freed) == ([GOOD], 1)
    with pytest.raises(NoSuchDialogError):
        await hold_dialog(BAD, tx, held=True)
