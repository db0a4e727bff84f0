"""Where history is from joining, what happens to a message from before is not shown to newcomers; its place is."""

import uuid

import pytest

from testkit.wait import eventually

SECRET = "said before"
EVENTS = {
    "message.edited": lambda one, path, _: one.ok(
        "PATCH", path, {"content": {"type": "text", "text": f"{SECRET}, corrected"}}
    ),
    "reaction.changed": lambda one, path, _: one.ok("PUT", f"{path}/reactions/👍"),
    "pin.changed": lambda one, path, _: one.ok("PUT", f"{path}/pin"),
    "poll.changed": lambda one, _, poll: one.ok("PUT", f"{poll}/vote", {"options": [0]}),
    "message.deleted": lambda one, path, _: one.ok("DELETE", path),
}


async def dialog_with_a_past(world, owner, *newcomers):
    """A group with history from joining: its path, and its messages from before the newcomers."""
    dialog_id = await world.group(owner, await world.person())
    path = f"/v1/dialogs/{dialog_id}"
    await owner.ok("PATCH", path, {"history_from": "join"}, headers={"If-Match": "*"})
    sent = await owner.send(dialog_id, SECRET)
    content = {"type": "poll", "question": SECRET, "options": ["yes", "no"]}
    poll = await owner.ok("POST", f"{path}/messages", {"client_message_id": str(uuid.uuid4()), "content": content})
    if newcomers:
        await owner.ok("POST", f"{path}/members", {"user_ids": [str(each) for each in newcomers]})
    return dialog_id, f"{path}/messages/{sent['seq']}", f"{path}/messages/{poll['seq']}"


def is_bare(frame):
    return frame["type"] == "event.withheld" and frame.keys() == {"type", "dialog_id", "seq", "at"}


async def test_sockets_resume_sync_and_long_poll_show_the_place_alone(world, sockets, node_of):
    owner, newcomer = await world.person(), await world.person()
    dialog_id, message, poll = await dialog_with_a_past(world, owner, newcomer.user_id)
    start = (await newcomer.dialog(dialog_id))["last_seq"]
    async with node_of() as other:
        mine, theirs = await sockets.of(owner), await sockets.of(newcomer)
        far = await sockets.of(newcomer, base_url=other.base_url)
        for act in EVENTS.values():
            await act(owner, message, poll)
        last = (await owner.send(dialog_id, "for all"))["seq"]
        for socket in (mine, theirs, far):
            await socket.reaches(dialog_id, last)
        late = await sockets.of(newcomer, resume={"dialogs": {dialog_id: start}})
        await late.reaches(dialog_id, last)
        told = {
            socket: [
                each for each in socket.frames if each.get("dialog_id") == dialog_id and each.get("seq", 0) > start
            ]
            for socket in (mine, theirs, far, late)
        }
    assert [each["type"] for each in told[mine]] == [*EVENTS, "message.new"]
    [synced] = (await newcomer.ok("POST", "/v1/sync", {"dialogs": {dialog_id: start}}))["dialogs"]
    body = {"dialogs": {dialog_id: start}, "account_seq": 1, "wait_s": 0}
    polled = await newcomer.ok("POST", "/v1/realtime/poll", body, key="")
    for given in (told[theirs], told[far], told[late], synced["events"], polled["frames"]):
        frames = [each for each in given if each.get("dialog_id") == dialog_id and "seq" in each]
        assert [each["seq"] for each in frames] == list(range(start + 1, last + 1))
        assert all(is_bare(each) for each in frames[:-1])
        assert frames[-1]["message"]["content"]["text"] == "for all"


async def test_a_bot_is_not_told_of_them_either(world):
    owner = await world.person()
    username = f"b{uuid.uuid4().hex[:12]}_bot"
    made = await owner.ok("POST", "/v1/bots", {"username": username, "display_name": "Tidy"})
    dialog_id, message, poll = await dialog_with_a_past(world, owner)
    path = f"/v1/dialogs/{dialog_id}"
    await owner.ok("POST", f"{path}/members", {"user_ids": [made["bot_id"]]})
    await owner.ok("PATCH", f"{path}/members/{made['bot_id']}", {"role": "admin"})
    for act in EVENTS.values():
        await act(owner, message, poll)
    last = await owner.send(dialog_id, "for all")

    async def heard():
        async with world.app.database.read() as conn:
            rows = await conn.fetch(
                "SELECT seq FROM bot_update WHERE bot_id = $1 AND dialog_id = $2 ORDER BY seq",
                *(uuid.UUID(made["bot_id"]), uuid.UUID(dialog_id)),
            )
        seqs = [row["seq"] for row in rows]
        return seqs if last["seq"] in seqs else None

    seqs = await eventually(heard, timeout_s=20, what="the marker")
    assert not set(range(last["seq"] - len(EVENTS), last["seq"])) & set(seqs)


@pytest.mark.parametrize("rule", ["join", "start"])
async def test_a_new_rule_is_true_for_who_is_connected(world, sockets, rule):
    owner, newcomer = await world.person(), await world.person()
    dialog_id, message, poll = await dialog_with_a_past(world, owner, newcomer.user_id)
    path = f"/v1/dialogs/{dialog_id}"
    if rule == "join":
        await owner.ok("PATCH", path, {"history_from": "start"}, headers={"If-Match": "*"})
    socket = await sockets.of(newcomer)
    await owner.ok("PATCH", path, {"history_from": rule}, headers={"If-Match": "*"})
    await socket.until("dialog.changed")

    async def shown_by_the_rule():
        await EVENTS["pin.changed"](owner, message, poll)
        await owner.ok("DELETE", f"{message}/pin")
        last = (await newcomer.dialog(dialog_id))["last_seq"]
        await socket.reaches(dialog_id, last)
        [told] = [each for each in socket.frames if each.get("seq") == last and each["dialog_id"] == dialog_id]
        return is_bare(told) == (rule == "join")

    await eventually(shown_by_the_rule, timeout_s=15, what="what the rule shows")
