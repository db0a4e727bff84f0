"""Frames of every kind of change: as the AsyncAPI document says, and the same live, replayed and fetched."""

import jsonschema
import pytest


async def test_each_kind_of_change_is_told_as_documented(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    live = await sockets.of(ari)
    sent = await nok.send(dialog_id, "first")
    path = f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}"
    await ari.ok("PUT", f"{path}/reactions/👍")
    await nok.ok("PUT", f"{path}/pin")
    edit = {"content": {"type": "text", "text": "second"}}
    await nok.ok("PATCH", path, edit, headers={"If-Match": (await nok.do("GET", path)).headers.get("ETag", "*")})
    poll = await nok.ok(
        "POST",
        f"/v1/dialogs/{dialog_id}/messages",
        {
            "client_message_id": "01900000-0000-7000-8000-000000000001",
            "content": {"type": "poll", "question": "Where?", "options": ["Hat Yai", "Medan"]},
        },
    )
    await ari.ok("PUT", f"/v1/dialogs/{dialog_id}/messages/{poll['seq']}/vote", {"options": [1]})
    await nok.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"title": "New"}, headers={"If-Match": "*"})
    await nok.ok("DELETE", path)
    kinds = ["reaction.changed", "pin.changed", "message.edited", "poll.changed", "dialog.changed", "message.deleted"]
    for kind in kinds:
        await live.until(kind)
    last = live.seqs(dialog_id)[-1]
    replayed = await sockets.of(ari, resume={"dialogs": {dialog_id: 0}})
    await replayed.until("resumed")
    assert replayed.seqs(dialog_id) == list(range(1, last + 1))
    assert {each["type"] for each in replayed.frames} >= {*kinds, "member.changed", "message.new"}


def test_a_frame_that_is_not_documented_is_noticed(documented):
    documented({"type": "pong", "ref": "r"})
    for wrong in ({"type": "pong", "more": 1}, {"type": "typing", "dialog_id": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            documented(wrong)
    with pytest.raises(KeyError):
        documented({"type": "dance"})
