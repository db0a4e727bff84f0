"""Who has switched receipts off is told of by nobody from that moment on, though it comes here a little later."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from messaging.core.adapters.cursor_store import CursorStore
from messaging.core.usecases.follow_privacy import FollowPrivacy, follow_privacy
from messaging.core.usecases.move_cursor import MoveCursor, move_cursor
from sampan.auth.v1.graph_pb2 import UserPrivacyChanged
from testkit.wait import eventually


def privacy(person, version, *, on, since):
    return FollowPrivacy(
        user_id=person.user_id,
        version=version,
        presence_to="everyone",
        direct_from="everyone",
        read_receipts=on,
        since=since,
    )


async def follow(world, *args, **rest):
    async with world.app.begin() as tx:
        await follow_privacy(privacy(*args, **rest), tx)


async def read(person, dialog_id, seq):
    await person.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": seq})


async def readers(person, dialog_id, seq):
    found = await person.ok("GET", f"/v1/dialogs/{dialog_id}/messages/{seq}/seen-by")
    assert found["read_count"] == len(found["people"])
    return found["read_count"]


def now():
    return datetime.now(UTC)


async def test_what_was_read_before_it_was_known_here_is_told_by_the_time_it_was_read(world):
    writer, reader = await world.person(), await world.person()
    before, after = [await world.group(writer, reader) for _ in range(2)]
    seqs = {each: (await writer.send(each))["seq"] for each in (before, after)}
    await read(reader, before, seqs[before])
    off_at = now()
    await read(reader, after, seqs[after])
    on_at = now()
    await follow(world, reader, 5, on=False, since=off_at)
    assert [await readers(writer, each, seqs[each]) for each in (before, after)] == [0, 0]
    await follow(world, reader, 6, on=True, since=on_at)
    assert [await readers(writer, each, seqs[each]) for each in (before, after)] == [1, 0]
    later = (await writer.send(after))["seq"]
    await read(reader, after, later)
    assert [await readers(writer, after, each) for each in (seqs[after], later)] == [0, 1]


async def test_also_of_a_dialog_one_left_and_came_back_to(world):
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader)
    seq = (await writer.send(dialog_id))["seq"]
    off_at = now()
    await read(reader, dialog_id, seq)
    await reader.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{reader.user_id}")
    await follow(world, reader, 5, on=False, since=off_at)
    await follow(world, reader, 6, on=True, since=now())
    await writer.ok("POST", f"/v1/dialogs/{dialog_id}/members", {"user_ids": [str(reader.user_id)]})
    assert await readers(writer, dialog_id, seq) == 0


async def test_old_news_and_other_choices_take_back_nothing(world):
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader)
    seq = (await writer.send(dialog_id))["seq"]
    long_ago = now() - timedelta(days=1)
    await read(reader, dialog_id, seq)
    await follow(world, reader, 5, on=True, since=long_ago)
    await follow(world, reader, 4, on=False, since=long_ago)  # delivered late
    assert await readers(writer, dialog_id, seq) == 1


async def test_the_time_that_counts_is_that_of_the_event(world):
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader)
    seq = (await writer.send(dialog_id))["seq"]
    at = Timestamp()
    at.FromDatetime(now())
    await read(reader, dialog_id, seq)
    for version, on in ((5, False), (6, True)):
        choices = {"show_presence_to": "everyone", "direct_messages_from": "everyone", "read_receipts": on}
        await world.publish(UserPrivacyChanged(user_id=str(reader.user_id), version=version, at=at, **choices))

    async def known():
        async with world.app.database.read() as conn:
            return await conn.fetchval("SELECT privacy_version FROM account WHERE user_id = $1", reader.user_id) == 6

    await eventually(known, timeout_s=30, what="both changes are known")
    assert await readers(writer, dialog_id, seq) == 0


async def waits(world):
    async with world.app.database.read() as conn:
        sql = (
            "SELECT count(*) > 0 FROM pg_stat_activity "
            "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return await conn.fetchval(sql)


async def nothing(*_, **__):
    pass


@pytest.mark.parametrize("protected", [True, False])
async def test_a_reading_that_is_not_committed_yet_is_taken_back_too(world, monkeypatch, protected):
    """The news waits for it. Without the hold it looks before the reading is there to be seen."""
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader)
    seq = (await writer.send(dialog_id))["seq"]
    if not protected:
        monkeypatch.setattr(CursorStore, "hold_cursors_of", nothing)
    off_at = now()
    async with world.app.begin() as tx:
        await move_cursor(MoveCursor(dialog_id=uuid.UUID(dialog_id), user_id=reader.user_id, read_seq=seq), tx)
        news = asyncio.create_task(follow(world, reader, 5, on=False, since=off_at))
        await (eventually(lambda: waits(world), timeout_s=20, what="the news waits") if protected else news)
    await news
    await follow(world, reader, 6, on=True, since=now())
    assert await readers(writer, dialog_id, seq) == (0 if protected else 1)


@pytest.mark.parametrize("protected", [True, False])
async def test_a_reading_that_waits_for_the_news_hears_it(world, monkeypatch, protected):
    """Without the hold of its own it goes on with what it saw before it waited."""
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader)
    seq = (await writer.send(dialog_id))["seq"]
    if not protected:
        monkeypatch.setattr(CursorStore, "hold_cursors", nothing)
    async with world.app.begin() as tx:
        await follow_privacy(privacy(reader, 5, on=False, since=now()), tx)
        reading = asyncio.create_task(read(reader, dialog_id, seq))
        await eventually(lambda: waits(world), timeout_s=20, what="the reading waits")
    await reading
    await follow(world, reader, 6, on=True, since=now())
    assert await readers(writer, dialog_id, seq) == (0 if protected else 1)
