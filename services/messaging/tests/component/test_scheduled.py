"""Scheduled messages that are put off or broken hold nobody up; one that is called back is not sent (MSG-12)."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from messaging.core.adapters import document_reads
from messaging.core.adapters.waiting_send_store import WaitingSendStore
from messaging.core.domain.message import SendMessage, Sent
from messaging.core.usecases.send_messages import send_messages
from messaging.scheduling.adapters.scheduled_store import ScheduledReads
from messaging.scheduling.domain.scheduled import FAULTS_MAX
from messaging.scheduling.entrypoints import jobs
from testkit.wait import eventually


async def keep_due(world, person, dialog_id, *texts, ago_s=60.0, body=None):
    """Scheduled for a time that is over, as if the service had not run."""
    made = []
    async with world.app.begin() as tx:
        await tx.stream.ready([person.user_id])
        for number, text in enumerate(texts):
            scheduled_id = uuid.uuid4()
            content = {"type": "text", "text": text}
            said = document_reads.to_json(body or {"client_message_id": str(scheduled_id), "content": content})
            await tx.conn.execute(
                "INSERT INTO scheduled_message (scheduled_id, user_id, dialog_id, send_at, body, status, created_at) "
                "VALUES ($1, $2, $3, $4, $5, 'pending', now())",
                *(scheduled_id, person.user_id, uuid.UUID(dialog_id)),
                datetime.now(UTC) - timedelta(seconds=ago_s - number / 1000),
                tx.sealer.encrypt(person.user_id, said),
            )
            made.append(scheduled_id)
    return made


async def row_of(world, scheduled_id):
    async with world.app.database.read() as conn:
        return await conn.fetchrow("SELECT * FROM scheduled_message WHERE scheduled_id = $1", scheduled_id)


async def texts_in(person, dialog_id):
    return [each["content"]["text"] for each in await person.messages(dialog_id, limit=200)]


async def test_those_put_off_by_slow_mode_do_not_stop_the_others(world):
    owner, one, two, quick = [await world.person() for _ in range(4)]
    slow = await world.group(owner, one, two)
    etag = (await owner.do("GET", f"/v1/dialogs/{slow}")).headers["ETag"]
    await owner.ok("PATCH", f"/v1/dialogs/{slow}", {"slow_mode_s": 3600}, headers={"If-Match": etag})
    put_off = []
    for person in (one, two):
        put_off += await keep_due(world, person, slow, *(str(number) for number in range(100)))
    elsewhere = await world.group(quick, owner)
    await keep_due(world, quick, elsewhere, "in time", ago_s=1)

    async def arrived():
        return await texts_in(owner, elsewhere) == ["in time"]

    await eventually(arrived, timeout_s=20, what="the message of somebody else")
    # Each of the two was let through once; the rest waits as long as the refusal said, at most five minutes.
    assert sorted(await texts_in(owner, slow)) == ["0", "0"]

    async def all_wait():
        rows = [await row_of(world, each) for each in put_off]
        waiting = [each for each in rows if each["status"] == "pending"]
        return len(waiting) == 198 and all(each["attempts"] for each in waiting) and waiting

    for row in await eventually(all_wait, timeout_s=20, what="198 that wait"):
        assert timedelta(minutes=4) < row["next_attempt_at"] - datetime.now(UTC) <= timedelta(minutes=5)


async def test_one_that_breaks_does_not_stop_the_others(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    [broken] = await keep_due(world, one, dialog_id, "", body={"content": "of another time"})
    await keep_due(world, one, dialog_id, "after", ago_s=30)

    async def arrived():
        return await texts_in(other, dialog_id) == ["after"]

    await eventually(arrived, timeout_s=15, what="the message after the broken one")
    row = await row_of(world, broken)
    assert (row["status"], row["attempts"] > 0) == ("pending", True)
    async with world.app.begin() as tx:
        await tx.conn.execute(
            "UPDATE scheduled_message SET attempts = $2, next_attempt_at = NULL WHERE scheduled_id = $1",
            *(broken, FAULTS_MAX),
        )

    async def given_up():
        return (await row_of(world, broken))["status"] == "failed"

    await eventually(given_up, timeout_s=15, what="given up")
    [shown] = (await one.ok("GET", "/v1/scheduled-messages"))["items"]
    assert shown["failure_code"] == "messaging.scheduled.failed"


async def test_one_put_off_is_sent_when_its_time_comes(world):
    owner, one = await world.person(), await world.person()
    dialog_id = await world.group(owner, one)
    etag = (await owner.do("GET", f"/v1/dialogs/{dialog_id}")).headers["ETag"]
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"slow_mode_s": 2}, headers={"If-Match": etag})
    await one.send(dialog_id, "now")
    await keep_due(world, one, dialog_id, "later")
    await jobs.send_due(world.app)

    async def arrived():
        return await texts_in(owner, dialog_id) == ["now", "later"]

    await eventually(arrived, timeout_s=15, what="the message that was put off")


NOT_FOUND = "messaging.scheduled.not_found"


async def everything_waits(_store, scheduled_ids):
    """For a negative control: nobody looks whether they do."""
    return frozenset(scheduled_ids)


@pytest.mark.parametrize("protected", [True, False])
async def test_one_called_back_after_the_batch_was_read_is_not_sent(world, monkeypatch, protected):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    called_back, read_due = [], ScheduledReads.due

    async def taken(*asked):
        due = await read_due(*asked)
        for each in due:
            if each.user_id == one.user_id and not called_back:
                called_back.append((await one.do("DELETE", f"/v1/scheduled-messages/{each.scheduled_id}")).status)
        return due

    monkeypatch.setattr(ScheduledReads, "due", taken)
    if not protected:
        monkeypatch.setattr(WaitingSendStore, "hold", everything_waits)
    [first, _] = await keep_due(world, one, dialog_id, "called back", "after")

    async def arrived():
        return "after" in await texts_in(other, dialog_id)

    await eventually(arrived, timeout_s=15, what="the message after it")
    assert called_back == [204]
    assert await texts_in(other, dialog_id) == (["after"] if protected else ["called back", "after"])
    if protected:
        row = await row_of(world, first)
        assert (row["status"], row["seq"]) == ("cancelled", None)


async def stored_while_called_back(world, *, scheduled):
    """It is being stored, and not committed, while its sender calls it back: what they are answered, and all about it."""
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    content = {"type": "text", "text": "now"}
    send_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    scheduled_id = uuid.uuid4()
    said = {"client_message_id": str(scheduled_id), "content": content}
    await one.ok("POST", "/v1/scheduled-messages", {"dialog_id": dialog_id, "send_at": send_at, "message": said})
    message = SendMessage(
        dialog_id=uuid.UUID(dialog_id),
        sender_id=one.user_id,
        client_message_id=scheduled_id,
        content=content,
        scheduled=scheduled,
    )
    async with world.app.begin() as tx:
        [answer] = await send_messages([message], tx)
        assert isinstance(answer, Sent)
        calling = asyncio.create_task(one.do("DELETE", f"/v1/scheduled-messages/{scheduled_id}"))
        await asyncio.wait({calling}, timeout=1.0)
    assert await texts_in(other, dialog_id) == ["now"]
    async with world.app.begin() as tx:
        [again] = await send_messages([message], tx)
    assert (again.seq, again.replayed) == (answer.seq, True)
    return await calling, await row_of(world, scheduled_id), answer.seq


async def test_one_that_is_being_stored_is_called_back_no_more_and_noted_though_the_process_dies_after_it(world):
    answered, row, seq = await stored_while_called_back(world, scheduled=True)
    assert (answered.status, answered.code) == (404, NOT_FOUND)
    assert (row["status"], row["seq"], row["body"]) == ("sent", seq, b"")


async def test_without_the_hold_one_that_is_being_stored_is_called_back_and_stays(world):
    answered, row, _ = await stored_while_called_back(world, scheduled=False)
    assert (answered.status, row["status"]) == (204, "cancelled")


async def test_those_whose_sending_is_noted_are_told_once(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    [scheduled_id] = await keep_due(world, one, dialog_id, "on time")

    async def told():
        async with world.app.database.read() as conn:
            return await conn.fetch(
                "SELECT payload FROM account_change WHERE user_id = $1 AND type = 'scheduled.changed'", one.user_id
            )

    await eventually(told, timeout_s=15, what="told")
    await asyncio.gather(*(jobs.send_due(world.app) for _ in range(2)))
    assert await texts_in(other, dialog_id) == ["on time"]
    assert (await row_of(world, scheduled_id))["status"] == "sent"
    assert len(await told()) == 1


def to_schedule(dialog_id, text="later", ahead_s=3600.0, **more):
    said = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": text}}
    send_at = datetime.now(UTC) + timedelta(seconds=ahead_s)
    return {"dialog_id": dialog_id, "send_at": send_at.isoformat(), "message": said, **more}


async def test_the_same_scheduled_again_is_kept_and_something_else_under_its_id_is_refused(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    path, reused = "/v1/scheduled-messages", "messaging.message.client_message_id_reused"
    body = to_schedule(dialog_id)
    kept = await one.ok("POST", path, body)
    assert await one.ok("POST", path, body) == kept
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    said = {**body["message"], "content": {"type": "text", "text": "else"}}
    elsewhere = await world.group(one)
    for changed in ({"message": said}, {"send_at": later}, {"dialog_id": elsewhere}):
        assert await one.refused("POST", path, {**body, **changed}) == reused
    assert await other.refused("POST", path, body) == "messaging.scheduled.not_found"
    await one.ok("DELETE", f"{path}/{kept['scheduled_id']}")
    assert await one.refused("POST", path, body) == reused  # it was called back: the client is not told it will go
    assert (await one.ok("GET", path))["items"] == []


async def test_what_nobody_may_send_is_not_scheduled(world):
    owner, one = await world.person(), await world.person()
    path = "/v1/scheduled-messages"
    channel = await world.group(owner, one, kind="channel", title="News")
    assert await one.refused("POST", path, to_schedule(channel)) == "messaging.dialog.not_allowed"
    group = await world.group(owner, one)
    until = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    await owner.ok("PATCH", f"/v1/dialogs/{group}/members/{one.user_id}", {"muted": True, "muted_until": until})
    assert await one.refused("POST", path, to_schedule(group, ahead_s=60)) == "messaging.member.muted"
    kept = to_schedule(group)
    await one.ok("POST", path, kept)  # by then they may speak again
    await owner.ok("POST", f"/v1/dialogs/{group}/close")
    assert await one.refused("POST", path, to_schedule(group)) == "messaging.dialog.archived"
    await one.ok("POST", path, kept)  # a retry is answered
    pair = await world.group(one, owner, kind="direct")
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET ended_at = now() WHERE user_id = $1", owner.user_id)
    assert await one.refused("POST", path, to_schedule(pair)) == "messaging.dialog.unavailable"
