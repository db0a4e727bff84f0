"""Kinds of messages as they are meant to be sent, and what ends by itself when its time has come."""

import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from testkit.wait import eventually


def picture(kind, frames=1):
    out = io.BytesIO()
    shown = [Image.new("RGB", (32, 32), color) for color in ("teal", "navy")[:frames]]
    more = {"save_all": True, "append_images": shown[1:]} if frames > 1 else {}
    shown[0].save(out, kind, **more)
    return out.getvalue()


VOICE = b"OggS\x00\x02" + bytes(22) + b"OpusHead"
VIDEO = b"\x00\x00\x00\x18ftypiso5" + bytes(64)
FILES = {
    "voice": (VOICE, "audio/ogg", "voice", {"duration_s": 2.5, "waveform": [0, 128, 255]}),
    "video": (VIDEO, "video/mp4", "video", {"text": "on the beach"}),
    "sticker": (picture("WEBP"), "image/webp", "sticker", {"emoji": "👍"}),
    "gif": (picture("GIF", 2), "image/gif", "image", {"text": "again"}),
}


@pytest.fixture
async def pair(world):
    one, other = await world.person("Anong"), await world.person("Budi")
    return one, other, await world.group(one, other)


async def say(person, dialog_id, content, **rest):
    body = {"client_message_id": str(uuid.uuid4()), "content": content, **rest}
    return await person.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)


@pytest.mark.parametrize("kind", list(FILES))
async def test_messages_of_a_file_arrive_whole(world, pair, kind):
    one, other, dialog_id = pair
    content, media_type, purpose, more = FILES[kind]
    file_id = await one.clean(content, purpose=purpose, media_type=media_type, name=f"a.{kind}")
    await say(one, dialog_id, {"type": kind, "attachment_id": file_id, **more})
    [message] = await other.messages(dialog_id)
    assert message["content"] == {"type": kind, "attachment_id": file_id, **more}
    [attachment] = message["attachments"]
    assert (attachment["attachment_id"], attachment["media_type"], attachment["status"]) == (
        file_id,
        media_type,
        "clean",
    )
    link = await other.ok("POST", f"/v1/attachments/{file_id}/link", {})
    assert (await world.call("GET", link["url"])).content == content


async def test_locations_and_contacts_arrive_whole(pair):
    one, other, dialog_id = pair
    contents = [
        {"type": "location", "latitude": 7.0086, "longitude": 100.4747, "accuracy_m": 12.5, "name": "Hat Yai"},
        {"type": "location", "latitude": -90.0, "longitude": 180.0},
        {"type": "contact", "name": "Somchai", "phone_e164": "+66812345678"},
        {"type": "contact", "name": "Budi", "user_id": str(other.user_id)},
    ]
    for content in contents:
        await say(one, dialog_id, content)
    found = [each["content"] for each in await other.messages(dialog_id)]
    assert [{name: each[name] for name in content} for each, content in zip(found, contents, strict=True)] == contents


@pytest.mark.parametrize("text", ["a\u202eb", "\u2066x", "a\x00b", "two\nlines"])
async def test_what_turns_text_is_in_no_name(pair, text):
    one, other, dialog_id = pair
    create = {"kind": "group", "user_ids": [str(other.user_id)], "title": text}
    assert await one.refused("POST", "/v1/dialogs", create) == "request.body.invalid"
    answer = await one.do("PATCH", f"/v1/dialogs/{dialog_id}", {"title": text}, headers={"If-Match": "*"})
    assert answer.code == "request.body.invalid"
    bot = {"username": f"b{uuid.uuid4().hex[:12]}_bot", "display_name": text, "commands": []}
    assert await one.refused("POST", "/v1/bots", bot) == "request.body.invalid"
    contact = {"type": "contact", "name": text, "phone_e164": "+66812345678"}
    body = {"client_message_id": str(uuid.uuid4()), "content": contact}
    assert await one.refused("POST", f"/v1/dialogs/{dialog_id}/messages", body) == "request.body.invalid"
    assert await other.messages(dialog_id) == []


async def test_what_a_paste_has_around_it_is_left_out_of_a_name(pair):
    one, other, _ = pair
    body = {"kind": "group", "user_ids": [str(other.user_id)], "title": "\u2068Ann\u2069"}
    assert (await one.ok("POST", "/v1/dialogs", body))["title"] == "Ann"


async def test_an_invite_ends_at_its_time(world, pair):
    one, _, dialog_id = pair
    early, late = await world.person(), await world.person()
    made = await one.ok("POST", f"/v1/dialogs/{dialog_id}/invites", {"expires_in_s": 60})
    lasts_s = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert lasts_s == timedelta(seconds=60)
    token = {"token": made["token"]}
    assert (await early.ok("POST", "/v1/dialogs/join", token))["outcome"] == "joined"
    async with world.app.begin() as tx:
        await tx.conn.execute(
            "UPDATE invite SET expires_at = $2 WHERE invite_id = $1", uuid.UUID(made["invite_id"]), tx.now
        )
    assert await late.refused("POST", "/v1/dialogs/join", token) == "messaging.invite.invalid"
    assert str(late.user_id) not in str(await one.ok("GET", f"/v1/dialogs/{dialog_id}/members"))


async def test_a_poll_closes_when_its_time_is_over_and_everybody_is_told(world, pair):
    one, other, dialog_id = pair
    poll = {"type": "poll", "question": "Where?", "options": ["here", "there"], "open_s": 3600}
    asked = await say(one, dialog_id, poll)
    path = f"/v1/dialogs/{dialog_id}/messages/{asked['seq']}"
    assert (await other.ok("PUT", f"{path}/vote", {"options": [1]}))["closed_at"] is None
    asked_at, shown = datetime.fromisoformat(asked["sent_at"]), (await other.ok("GET", path))["poll"]
    assert datetime.fromisoformat(shown["closes_at"]) - asked_at == timedelta(hours=1)
    position = (await other.dialog(dialog_id))["last_seq"]
    async with world.app.begin() as tx:
        await tx.conn.execute(
            "UPDATE poll SET closes_at = $3 WHERE dialog_id = $1 AND seq = $2",
            *(uuid.UUID(dialog_id), asked["seq"], tx.now),
        )

    async def closed():
        return (await other.ok("GET", path))["poll"]["closed_at"]

    closed_at = await eventually(closed, timeout_s=20, what="the poll to close")
    shown = (await other.ok("GET", path))["poll"]
    assert datetime.fromisoformat(closed_at) >= datetime.fromisoformat(shown["closes_at"])
    assert await other.refused("PUT", f"{path}/vote", {"options": [0]}) == "messaging.poll.closed"
    [news] = (await other.ok("POST", "/v1/sync", {"dialogs": {dialog_id: position}}))["dialogs"]
    [event] = news["events"]
    assert (event["type"], event["by"], event["poll"]["votes"]) == ("poll.changed", None, [0, 1])
    assert event["poll"]["closed_at"] == closed_at


async def test_silence_holds_until_its_time_and_no_longer(world):
    one, silent, other = [await world.person() for _ in range(3)]
    dialog_id = await world.group(one, silent, other)
    path = f"/v1/dialogs/{dialog_id}/settings"
    both = [str(silent.user_id), str(other.user_id)]

    async def mentions(person):
        found = await person.ok("GET", "/v1/activity?type=mention")
        return [each["seq"] for each in found["items"]]

    async def hears(person, seq):
        return seq in await mentions(person)

    until = datetime.now(UTC) + timedelta(hours=1)
    await silent.ok("PATCH", path, {"silent_until": until.isoformat()})
    quiet = [
        (await one.send(dialog_id, "you two", mention_user_ids=both))["seq"],
        (await one.send(dialog_id, "all", mention_all=True))["seq"],
    ]
    for seq in quiet:
        await eventually(lambda seq=seq: hears(other, seq), timeout_s=20, what="the other is told")
    # It is silent, not unread: the counts of the dialog go on.
    assert (await silent.dialog(dialog_id))["me"]["mentions"] == 2
    async with world.app.begin() as tx:
        await tx.conn.execute(
            "UPDATE member SET silent_until = $3 WHERE dialog_id = $1 AND user_id = $2",
            *(uuid.UUID(dialog_id), silent.user_id, tx.now),
        )
    loud = (await one.send(dialog_id, "and now", mention_user_ids=both))["seq"]
    await eventually(lambda: hears(silent, loud), timeout_s=20, what="silence is over")
    assert quiet[0] not in await mentions(silent)
