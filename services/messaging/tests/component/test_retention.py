"""The retention job itself: a month past its time, what a hold kept of it, and what accounts were told long ago."""

import asyncio
import uuid
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from messaging.core.usecases.change_dialog import ChangeDialog, change_dialog
from messaging.lifecycle.adapters.invariants import audit
from messaging.lifecycle.adapters.month_store import MonthStore
from messaging.lifecycle.adapters.retention_store import RetentionStore
from messaging.lifecycle.domain import month as months
from messaging.lifecycle.entrypoints import jobs
from messaging.lifecycle.usecases.apply_retention import ACCOUNT_CHANGES_KEPT, ApplyRetention, apply_retention
from messaging.lifecycle.usecases.hold_dialog import hold_dialog
from messaging.lifecycle.usecases.make_months import make_months
from operations import audit_connection
from operations.invariants import report

LONG_AGO = datetime(2018, 3, 15, tzinfo=UTC)


def limited(world):
    """The service as it is where nothing is kept for longer than five years."""
    return replace(world.app, settings=world.app.settings.model_copy(update={"retention_days_max": 5 * 365}))


async def hold(world, dialog_id, *, held):
    async with world.app.begin() as tx:
        await hold_dialog(uuid.UUID(dialog_id), tx, held=held)


@asynccontextmanager
async def held_together(world):
    yield
    async with audit_connection(world.app) as conn:
        findings = await audit(conn)
    assert not [each for each in findings if each.count and each.check.invariant != "SRCH-2"], report(findings)


async def all_of_it_long_ago(world, *dialog_ids):
    """Everything in these dialogs moves into the partitions of a month of 2018."""
    ids = [uuid.UUID(each) for each in dialog_ids]
    async with world.app.begin() as tx:
        for table in ("message", "change"):
            await tx.conn.execute(f"UPDATE {table} SET created_at = $2 WHERE dialog_id = ANY($1)", ids, LONG_AGO)
        await tx.conn.execute("UPDATE dialog_month SET month = '2018-03-01' WHERE dialog_id = ANY($1)", ids)


async def rows_of(world, table, dialog_id):
    async with world.app.database.read() as conn:
        return await conn.fetchval(f"SELECT count(*) FROM {table} WHERE dialog_id = $1", uuid.UUID(dialog_id))


async def march(world):
    async with world.app.database.read() as conn:
        return [
            each
            for table in months.TABLES
            for each in await MonthStore(conn).months_of(table)
            if each.first.year == 2018
        ]


async def test_the_job_drops_a_month_past_its_time_and_later_what_a_hold_kept_of_it(world):
    nok, budi = await world.person(), await world.person()
    free, held = await world.group(nok, budi), await world.group(nok, budi)
    await hold(world, held, held=True)
    await make_months(LONG_AGO, world.app.begin)
    for each in (free, held):
        await nok.send(each, "march")
    await all_of_it_long_ago(world, free, held)
    there = {each: await rows_of(world, each, held) for each in ("message", "change")}
    fresh = await world.group(nok, budi)
    await nok.send(fresh, "today")

    await jobs.run_retention(limited(world))
    assert await march(world) == []
    assert await rows_of(world, "message", free) == await rows_of(world, "change_default", free) == 0
    assert [await nok.messages(each) for each in (free, held)] == [[], []]
    assert {each: await rows_of(world, f"{each}_default", held) for each in there} == there
    assert len(await nok.messages(fresh)) == 1

    await jobs.run_retention(limited(world))
    assert {each: await rows_of(world, f"{each}_default", held) for each in there} == there
    await hold(world, held, held=False)
    await jobs.run_retention(limited(world))
    assert {each: await rows_of(world, f"{each}_default", held) for each in there} == dict.fromkeys(there, 0)
    async with held_together(world):
        await nok.send(held, "again")
    assert [each["content"]["text"] for each in await nok.messages(held)] == ["again"]


async def test_what_an_account_was_told_long_ago_ends_and_who_has_not_heard_it_begins_anew(world):
    nok, budi = await world.person(), await world.person()
    dialogs = [await world.group(nok, budi) for _ in range(3)]
    before = (await nok.ok("POST", "/v1/sync", {"dialogs": {}}))["account_seq"]
    async with world.app.begin() as tx:
        long_ago = world.app.clock.now() - ACCOUNT_CHANGES_KEPT - timedelta(minutes=1)
        await tx.conn.execute(
            "UPDATE account_change SET created_at = $2 WHERE user_id = $1 AND account_seq <= $3",
            *(nok.user_id, long_ago, before - 1),
        )
    await jobs.run_retention(world.app)
    async with world.app.database.read() as conn:
        kept = await conn.fetch("SELECT account_seq FROM account_change WHERE user_id = $1", nok.user_id)
        oldest = await conn.fetchval("SELECT oldest_account_seq FROM account WHERE user_id = $1", nok.user_id)
    assert [row["account_seq"] for row in kept] == [before]
    assert oldest == before
    behind = await nok.ok("POST", "/v1/sync", {"dialogs": {}, "account_seq": before - 2})
    assert (behind["account_too_old"], behind["account_events"]) == (True, [])
    with_us = await nok.ok("POST", "/v1/sync", {"dialogs": {}, "account_seq": before - 1})
    assert with_us["account_too_old"] is False
    assert [each["dialog_id"] for each in with_us["account_events"]] == [dialogs[-1]]
    async with held_together(world):
        await nok.ok("POST", "/v1/sync", {"dialogs": {}, "account_seq": before})


async def kept_meanwhile(world):
    """Retention runs while somebody says that the dialog keeps everything: how many messages are left to read."""
    owner = await world.person()
    dialog_id = await world.group(owner)
    await owner.send(dialog_id, "old")
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"retention_days": 1}, headers={"If-Match": "*"})
    await all_of_it_long_ago(world, dialog_id)
    async with world.app.begin() as tx:
        change = {"retention_days": None}
        command = ChangeDialog(dialog_id=uuid.UUID(dialog_id), by=owner.user_id, changes=change)
        await change_dialog(command, tx, require_version=lambda _: None)
        ending = asyncio.create_task(
            apply_retention(ApplyRetention(days_max=None, now=datetime.now(UTC)), world.app.begin)
        )
        await asyncio.wait({ending}, timeout=1.0)
    await ending
    return len(await owner.messages(dialog_id))


async def test_what_a_dialog_keeps_is_asked_again_under_its_lock(world):
    assert await kept_meanwhile(world) == 1


async def test_control_decided_before_the_lock_messages_end_that_should_stay(world, monkeypatch):
    async def before(*_):
        return datetime.now(UTC) - timedelta(days=1)

    monkeypatch.setattr(RetentionStore, "cutoff_of", before)
    assert await kept_meanwhile(world) == 0
