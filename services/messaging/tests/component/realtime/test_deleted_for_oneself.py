"""What happens to a message is not shown to who deleted it for themselves; the place of it in the stream is."""

import asyncio
import uuid

import asyncpg
import pytest

from messaging.core.domain.commands import MessageCommand
from messaging.core.usecases.delete_message_for_self import delete_message_for_self
from testkit.wait import eventually

SECRET = "an answer that was not wanted"
EVENTS = {
    "message.edited": lambda writer, path, _: writer.ok(
        "PATCH", path, {"content": {"type": "text", "text": f"{SECRET}, corrected"}}
    ),
    "reaction.changed": lambda writer, path, _: writer.ok("PUT", f"{path}/reactions/👍"),
    "pin.changed": lambda writer, path, _: writer.ok("PUT", f"{path}/pin"),
    "poll.changed": lambda writer, _, poll: writer.ok("PUT", f"{poll}/vote", {"options": [0]}),
    "message.deleted": lambda writer, path, _: writer.ok("DELETE", path),
}


@pytest.fixture
async def dialog(world):
    """A group of who wrote, who hid it and who reads on: them, the dialog, the paths of the message and of a poll."""
    writer, hider, reader = [await world.person() for _ in range(3)]
    dialog_id = await world.group(writer, hider, reader)
    path = f"/v1/dialogs/{dialog_id}"
    message = f"{path}/messages/{(await writer.send(dialog_id, SECRET))['seq']}"
    content = {"type": "poll", "question": SECRET, "options": ["yes", "no"]}
    poll = await writer.ok("POST", f"{path}/messages", {"client_message_id": str(uuid.uuid4()), "content": content})
    return writer, hider, reader, dialog_id, message, f"{path}/messages/{poll['seq']}"


def is_bare(frame):
    return frame["type"] == "event.withheld" and frame.keys() == {"type", "dialog_id", "seq", "at"}


def of_dialog(frames, dialog_id, start):
    return [each for each in frames if each.get("dialog_id") == dialog_id and each.get("seq", 0) > start]


async def test_sockets_resume_sync_and_long_poll_show_the_place_alone(dialog, sockets, node_of):
    writer, hider, reader, dialog_id, message, poll = dialog
    await hider.ok("DELETE", f"{message}?whom=me")
    await hider.ok("DELETE", f"{poll}?whom=me")
    start = (await hider.dialog(dialog_id))["last_seq"]
    async with node_of() as other:
        mine, theirs = await sockets.of(hider), await sockets.of(reader)
        far = await sockets.of(hider, base_url=other.base_url)
        for act in EVENTS.values():
            await act(writer, message, poll)
        last = (await writer.send(dialog_id, "for all"))["seq"]
        for socket in (mine, theirs, far):
            await socket.reaches(dialog_id, last)
        late = await sockets.of(hider, resume={"dialogs": {dialog_id: start}})
        await late.reaches(dialog_id, last)
    assert [each["type"] for each in of_dialog(theirs.frames, dialog_id, start)] == [*EVENTS, "message.new"]
    synced = (await hider.ok("POST", "/v1/sync", {"dialogs": {dialog_id: start}}))["dialogs"][0]["events"]
    body = {"dialogs": {dialog_id: start}, "account_seq": 1, "wait_s": 0}
    polled = (await hider.ok("POST", "/v1/realtime/poll", body, key=""))["frames"]
    for given in (mine.frames, far.frames, late.frames, synced, polled):
        frames = of_dialog(given, dialog_id, start)
        assert [each["seq"] for each in frames] == list(range(start + 1, last + 1))
        assert all(is_bare(each) for each in frames[:-1])
        assert frames[-1]["message"]["content"]["text"] == "for all"
    [other_synced] = (await reader.ok("POST", "/v1/sync", {"dialogs": {dialog_id: start}}))["dialogs"]
    assert [each["type"] for each in other_synced["events"]] == [*EVENTS, "message.new"]


async def test_what_brought_the_message_is_not_replayed_either(dialog, sockets):
    writer, hider, reader, dialog_id, message, poll = dialog
    seqs = [int(each.rpartition("/")[2]) for each in (message, poll)]
    for each in (message, poll):
        await hider.ok("DELETE", f"{each}?whom=me")
    await EVENTS["message.edited"](writer, message, poll)
    last = (await hider.dialog(dialog_id))["last_seq"]
    start = seqs[0] - 1
    for person, is_kept_from_them in ((hider, True), (reader, False)):
        resumed = await sockets.of(person, resume={"dialogs": {dialog_id: start}})
        await resumed.reaches(dialog_id, last)
        synced = (await person.ok("POST", "/v1/sync", {"dialogs": {dialog_id: start}}))["dialogs"][0]["events"]
        body = {"dialogs": {dialog_id: start}, "account_seq": 1, "wait_s": 0}
        polled = (await person.ok("POST", "/v1/realtime/poll", body, key=""))["frames"]
        for given in (resumed.frames, synced, polled):
            frames = {each["seq"]: each for each in of_dialog(given, dialog_id, start)}
            assert list(frames) == list(range(start + 1, last + 1))
            assert [is_bare(frames[seq]) for seq in (*seqs, last)] == [is_kept_from_them] * 3
            assert (SECRET in str(given)) != is_kept_from_them


async def test_negative_control_what_was_not_deleted_for_oneself_is_shown(dialog, sockets):
    writer, hider, _, dialog_id, message, poll = dialog
    start = (await hider.dialog(dialog_id))["last_seq"]
    mine = await sockets.of(hider)
    for act in EVENTS.values():
        await act(writer, message, poll)
    await mine.reaches(dialog_id, start + len(EVENTS))
    assert [each["type"] for each in of_dialog(mine.frames, dialog_id, start)] == list(EVENTS)


async def test_sending_does_not_ask_who_deleted_what_and_an_act_on_a_message_asks_once(dialog, monkeypatch):
    writer, hider, _, dialog_id, message, _ = dialog
    await hider.ok("DELETE", f"{message}?whom=me")
    asked, fetch = [], asyncpg.Connection.fetch

    async def watched(self, query, *arguments, **how):
        asked.append(query)
        return await fetch(self, query, *arguments, **how)

    monkeypatch.setattr(asyncpg.Connection, "fetch", watched)

    def looked():
        found = sum("hidden_message x" in each for each in asked)
        asked.clear()
        return found

    await writer.send(dialog_id, "hello")
    assert asked
    assert looked() == 0
    await writer.ok("PUT", f"{message}/reactions/👍")
    assert looked() == 1


async def hide_under_lock(tx, command):
    await delete_message_for_self(command, tx)


async def hide_without_lock(tx, command):
    await tx.conn.execute(
        "INSERT INTO hidden_message (user_id, dialog_id, seq) VALUES ($1, $2, $3)",
        *(command.user_id, command.dialog_id, command.seq),
    )


@pytest.mark.parametrize(
    ("hide", "is_kept_from_them"),
    [(hide_under_lock, True), (hide_without_lock, False)],
    ids=["under the dialog's lock", "negative control: without it"],
)
async def test_an_edit_that_comes_while_it_is_being_deleted_is_not_shown(
    dialog, world, sockets, hide, is_kept_from_them
):
    writer, hider, _, dialog_id, message, poll = dialog
    start = (await hider.dialog(dialog_id))["last_seq"]
    mine = await sockets.of(hider)
    seq = int(message.rpartition("/")[2])
    async with world.app.begin() as tx:
        await hide(tx, MessageCommand(dialog_id=uuid.UUID(dialog_id), seq=seq, user_id=hider.user_id))
        editing = asyncio.create_task(EVENTS["message.edited"](writer, message, poll))

        async def edited_or_waiting():
            async with world.app.database.read() as conn:
                waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                return editing.done() or await conn.fetchval(waits)

        await eventually(edited_or_waiting, what="the edit")
    await editing
    await mine.reaches(dialog_id, start + 1)
    [told] = of_dialog(mine.frames, dialog_id, start)
    assert is_bare(told) == is_kept_from_them


async def test_what_was_just_read_for_another_is_read_again_for_who_has_hidden_a_message(world, sockets, node_of):
    """What a node keeps of a replay, for others who come within a moment, was read before."""
    writer, hider, reader = [await world.person() for _ in range(3)]
    dialog_id = await world.group(writer, hider, reader)
    sent = [await writer.send(dialog_id, SECRET) for _ in range(3)]
    async with node_of() as other:
        await sockets.of(reader)
        await sockets.of(reader, base_url=other.base_url)
        for message, base_url in zip(sent, (None, other.base_url, None), strict=True):
            warm = await sockets.of(reader, resume={"dialogs": {dialog_id: 0}}, base_url=base_url)
            await warm.until("resumed")
            await hider.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{message['seq']}?whom=me")
            await asyncio.sleep(0.1 if base_url else 0)  # a hint is on its way to the other node
            mine = await sockets.of(hider, resume={"dialogs": {dialog_id: 0}}, base_url=base_url)
            await mine.until("resumed")
            [place] = [each for each in mine.frames if each.get("seq") == message["seq"]]
            assert place["type"] == "event.withheld"
