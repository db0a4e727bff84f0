"""One row that always fails holds nobody up, in any job of messaging."""

import asyncio
import io
import uuid

import pytest
from PIL import Image

from messaging.bots.adapters.update_reads import UpdateReads
from messaging.files.entrypoints import jobs as file_jobs
from messaging.lifecycle.adapters.retention_store import RetentionStore
from messaging.lifecycle.domain.retention import Purgeable
from messaging.lifecycle.usecases.apply_retention import ApplyRetention, apply_retention
from messaging.polls.entrypoints import jobs
from testkit.wait import eventually

POISONED = ValueError("poisoned")


@pytest.fixture
async def pair(world):
    return await world.person(), await world.person()


async def test_a_dialog_that_cannot_be_hidden_or_purged_holds_up_no_other(world, pair, monkeypatch):
    bad, good = [uuid.UUID(await world.group(*pair)) for _ in range(2)]
    first_seq_since = RetentionStore.first_seq_since
    hidden, purged = [], []

    async def due_dialogs(*_):
        return [bad, good]

    async def purgeable_dialogs(*_):
        return [Purgeable(dialog_id=each, oldest_seq=1, by_row=True) for each in (bad, good)]

    async def failing_hide(conn, dialog_id, cutoff):
        if dialog_id == bad:
            raise POISONED
        hidden.append(dialog_id)
        return await first_seq_since(conn, dialog_id, cutoff)

    async def failing_purge(conn, past, limit):
        if past.dialog_id == bad:
            raise POISONED
        purged.append(past.dialog_id)
        return 0

    async def cutoff_of(_conn, _dialog_id, _days_max, now):
        return now

    monkeypatch.setattr(RetentionStore, "due_dialogs", due_dialogs)
    monkeypatch.setattr(RetentionStore, "purgeable_dialogs", purgeable_dialogs)
    monkeypatch.setattr(RetentionStore, "cutoff_of", cutoff_of)
    monkeypatch.setattr(RetentionStore, "first_seq_since", failing_hide)
    monkeypatch.setattr(RetentionStore, "purge", failing_purge)
    ended = await apply_retention(ApplyRetention(days_max=None, now=world.app.clock.now()), world.app.begin)
    assert (hidden, purged, ended.dialogs) == ([good], [good], 1)


async def test_a_poll_that_cannot_be_closed_holds_up_no_other(world, pair, monkeypatch):
    one, other = pair
    dialog_id = await world.group(one, other)
    seqs = []
    for _ in range(2):
        content = {"type": "poll", "question": "Where?", "options": ["here", "there"], "open_s": 3600}
        body = {"client_message_id": str(uuid.uuid4()), "content": content}
        seqs.append((await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body))["seq"])
    end_poll = jobs.end_poll

    async def failing(dialog, poll, by, tx):
        if poll.seq == seqs[0]:
            raise POISONED
        await end_poll(dialog, poll, by, tx)

    monkeypatch.setattr(jobs, "end_poll", failing)
    async with world.app.database.begin() as conn:
        await conn.execute("UPDATE poll SET closes_at = now() WHERE dialog_id = $1", uuid.UUID(dialog_id))

    async def closed(seq):
        return (await other.ok("GET", f"/v1/dialogs/{dialog_id}/messages/{seq}"))["poll"]["closed_at"]

    await eventually(lambda: closed(seqs[1]), timeout_s=20, what="the other poll to close")
    assert await closed(seqs[0]) is None


def png(color):
    out = io.BytesIO()
    Image.new("RGB", (40, 40), color).save(out, "PNG")
    return out.getvalue()


async def test_a_file_that_cannot_be_removed_or_scanned_holds_up_no_other(disk_world, monkeypatch):
    world = disk_world
    one = await world.person()
    bad, good = [await one.clean(png(color)) for color in ("red", "green")]
    async with world.app.database.begin() as conn:
        await conn.execute(
            "UPDATE attachment SET created_at = now() - interval '30 days', next_attempt_at = NULL "
            "WHERE attachment_id = ANY($1)",
            [uuid.UUID(bad), uuid.UUID(good)],
        )
    remove, scan = type(world.app.objects).remove, file_jobs.scan_attachment

    async def failing_remove(objects, key):
        if key.startswith(bad):
            raise POISONED
        await remove(objects, key)

    async def failing_scan(attachment, *others):
        if str(attachment.attachment_id) == poisoned:
            raise POISONED
        await scan(attachment, *others)

    monkeypatch.setattr(type(world.app.objects), "remove", failing_remove)
    await file_jobs.remove_gone(world.app)
    async with world.app.database.read() as conn:
        gone = await conn.fetch(
            "SELECT attachment_id::text FROM attachment WHERE objects_gone AND attachment_id = ANY($1)",
            [uuid.UUID(bad), uuid.UUID(good)],
        )
    assert [row["attachment_id"] for row in gone] == [good]
    made = await one.ticket(png("blue"))
    poisoned = made["attachment_id"]
    monkeypatch.setattr(file_jobs, "scan_attachment", failing_scan)
    await one.piece(made, png("blue"), 0)
    await asyncio.wait_for(one.clean(png("white")), 30)


async def test_a_webhook_whose_updates_cannot_be_made_is_called_later_and_not_at_once_again(world, monkeypatch):
    owner = await world.person()
    name = f"b{uuid.uuid4().hex[:9]}bot"
    made = await owner.ok("POST", "/v1/bots", {"username": name, "display_name": "Bot", "commands": []})
    tries = []

    async def failing(_reads, updates):
        tries.append(updates)
        raise POISONED

    monkeypatch.setattr(UpdateReads, "shown", failing)
    await owner.ok("PUT", f"/v1/bots/{made['bot_id']}/webhook", {"url": "http://127.0.0.1:9/hook"})
    dialog_id = (await owner.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]}))["dialog_id"]
    await owner.send(dialog_id, "hello")

    async def counted():
        return (await owner.ok("GET", "/v1/bots"))["items"][0]["failures"] >= 2

    await eventually(counted, timeout_s=20, what="two failures")
    assert len(tries) <= 4
