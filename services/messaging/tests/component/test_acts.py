"""Acts on messages, and that a stream replayed over an old state gives what a fresh fetch gives."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from testkit.wait import eventually


async def client_state(person, dialog_id, state=None):
    """What a client holds: fetched, or an old state with the events since applied."""
    if state is None:
        answer = await person.ok("GET", f"/v1/dialogs/{dialog_id}/messages?limit=200")
        return {"seq": answer["last_seq"], "messages": {each["seq"]: plain(each) for each in answer["items"]}}
    answer = await person.ok("POST", "/v1/sync", {"dialogs": {dialog_id: state["seq"]}, "limit_per_dialog": 200})
    messages = dict(state["messages"])
    seq = state["seq"]
    for news in answer["dialogs"]:
        for event in news["events"]:
            if news["dialog_id"] == dialog_id:
                assert event["seq"] == seq + 1
                seq = event["seq"]
                apply(messages, event)
    return {"seq": seq, "messages": messages}


def plain(message):
    """Without what only the viewer has."""
    shown = {**message, "reactions": [{k: v for k, v in each.items() if k != "mine"} for each in message["reactions"]]}
    if shown["poll"]:
        shown["poll"] = {k: v for k, v in shown["poll"].items() if k != "mine"}
    return shown


def apply(messages, event):
    kind, subject = event["type"], messages.get(event.get("message_seq"))
    if kind == "message.new":
        messages[event["seq"]] = plain(event["message"])
        root = messages.get(event["message"]["thread_seq"])
        if root is not None:
            messages[root["seq"]] = {**root, "reply_count": root["reply_count"] + 1} if not root["deleted_at"] else root
    elif kind == "message.edited":
        messages[event["message_seq"]] = plain(event["message"])
    elif kind == "message.deleted":
        empty = {"content": None, "deleted_at": event["at"], "mentions": [], "reactions": [], "pinned": False}
        messages[event["message_seq"]] = {
            **subject,
            **empty,
            "poll": None,
            "card": None,
            "attachments": [],
            "reply_count": 0,
        }
        root = messages.get(subject["thread_seq"])
        if root is not None and not root["deleted_at"]:
            messages[root["seq"]] = {**root, "reply_count": root["reply_count"] - 1}
    elif kind == "reaction.changed":
        others = [each for each in subject["reactions"] if each["emoji"] != event["emoji"]]
        place = [each["emoji"] for each in subject["reactions"]]
        if event["count"]:
            shown = {"emoji": event["emoji"], "count": event["count"]}
            at = place.index(event["emoji"]) if event["emoji"] in place else len(others)
            others.insert(at, shown)
        messages[event["message_seq"]] = {**subject, "reactions": others}
    elif kind == "pin.changed":
        messages[event["message_seq"]] = {**subject, "pinned": event["pinned"]}
    elif kind == "poll.changed":
        messages[event["message_seq"]] = {**subject, "poll": event["poll"]}


def by_emoji(state):
    """Reactions that came within one instant have no order to hold to."""
    return {
        "seq": state["seq"],
        "messages": {
            seq: {**each, "reactions": sorted(each["reactions"], key=lambda shown: shown["emoji"])}
            for seq, each in state["messages"].items()
        },
    }


@pytest.fixture
async def talk(world):
    one, other = await world.person("Anong"), await world.person("Budi")
    dialog_id = await world.group(one, other)
    first = await one.send(dialog_id, "first")
    return one, other, dialog_id, f"/v1/dialogs/{dialog_id}/messages/{first['seq']}", first["seq"]


async def edit(person, path, text, **rest):
    return await person.ok("PATCH", path, {"content": {"type": "text", "text": text}, **rest})


async def test_every_kind_of_change_replayed_equals_a_fresh_fetch(talk):
    one, other, dialog_id, path, seq = talk
    poll = {"type": "poll", "question": "Where?", "options": ["here", "there"], "multiple": True}
    asked = await one.ok(
        "POST", f"/v1/dialogs/{dialog_id}/messages", {"client_message_id": str(uuid.uuid4()), "content": poll}
    )
    poll_path = f"/v1/dialogs/{dialog_id}/messages/{asked['seq']}"
    doomed = await other.send(dialog_id, "doomed", thread_seq=seq)
    steps = [
        lambda: other.send(dialog_id, "more", reply_to_seq=seq),
        lambda: edit(one, path, "second"),
        lambda: other.ok("PUT", f"{path}/reactions/👍"),
        lambda: one.ok("PUT", f"{path}/reactions/love"),
        lambda: other.ok("DELETE", f"{path}/reactions/👍"),
        lambda: one.ok("PUT", f"{path}/pin"),
        lambda: other.ok("PUT", f"{poll_path}/vote", {"options": [0, 1]}),
        lambda: one.ok("PUT", f"{poll_path}/vote", {"options": [1]}),
        lambda: one.ok("POST", f"{poll_path}/close-poll", {}),
        lambda: one.ok("DELETE", f"{path}/pin"),
        lambda: other.send(dialog_id, "in the thread", thread_seq=seq),
        lambda: other.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{doomed['seq']}"),
        lambda: edit(one, path, "third"),
    ]
    start = state = await client_state(one, dialog_id)
    for step in steps:
        await step()
        state = await client_state(one, dialog_id, state)
        assert by_emoji(state) == by_emoji(await client_state(one, dialog_id))
    # All at once over the first state.
    assert by_emoji(await client_state(one, dialog_id, start)) == by_emoji(await client_state(one, dialog_id))


async def test_editing_keeps_what_was_said(talk):
    one, other, _, path, _ = talk
    assert (await edit(one, path, "second"))["version"] == 2
    assert (await edit(one, path, "second"))["version"] == 2  # the same again is no edit
    assert (await edit(one, path, "third", version=2))["content"]["text"] == "third"
    code = await one.refused("PATCH", path, {"content": {"type": "text", "text": "late"}, "version": 2})
    assert code == "messaging.message.changed_meanwhile"
    revisions = (await other.ok("GET", f"{path}/revisions"))["items"]
    assert [each["content"]["text"] for each in revisions] == ["first", "second"]
    assert (
        await other.refused("PATCH", path, {"content": {"type": "text", "text": "x"}}) == "messaging.dialog.not_allowed"
    )
    code = await one.refused("PATCH", path, {"content": {"type": "code", "text": "x"}})
    assert code == "messaging.message.not_editable"


async def test_deleting_for_all_leaves_the_place_and_nothing_said(talk):
    one, other, dialog_id, path, seq = talk
    await edit(one, path, "second")
    await other.ok("PUT", f"{path}/reactions/wow")
    assert await other.refused("DELETE", path) == "messaging.dialog.not_allowed"
    await one.ok("DELETE", path)
    await one.ok("DELETE", path)
    [message] = await other.messages(dialog_id)
    assert (message["seq"], message["content"], message["reactions"]) == (seq, None, [])
    assert message["deleted_at"]
    assert (await other.ok("GET", f"{path}/revisions"))["items"] == []
    for method, rest, body in (("PUT", "/reactions/👍", None), ("PUT", "/pin", None)):
        assert await other.refused(method, path + rest, body) == "messaging.message.not_found"


async def test_deleting_for_oneself_is_nobody_elses_business(talk):
    one, other, dialog_id, path, seq = talk
    before = (await one.dialog(dialog_id))["last_seq"]
    await other.ok("DELETE", f"{path}?whom=me")
    assert await other.messages(dialog_id) == []
    assert [each["seq"] for each in await one.messages(dialog_id)] == [seq]
    assert (await one.dialog(dialog_id))["last_seq"] == before
    news = (await other.ok("POST", "/v1/sync", {}))["account_events"]
    assert news[-1]["type"] == "message.hidden"
    assert news[-1]["message_seq"] == seq


@pytest.mark.parametrize("emoji", ["a", "👍👍", "1", "%20", "<b>", "like!", "‍"])
async def test_what_is_not_an_emoji(talk, emoji):
    _, other, _, path, _ = talk
    code = await other.refused("PUT", f"{path}/reactions/{emoji}")
    assert code in {"messaging.reaction.not_an_emoji", "request.path.not_found"}


async def test_reactions_are_once_a_person_and_bounded(talk):
    one, other, dialog_id, path, _ = talk
    for _ in range(3):
        await other.ok("PUT", f"{path}/reactions/👍")
    await one.ok("PUT", f"{path}/reactions/like")
    [message] = await one.messages(dialog_id)
    assert message["reactions"] == [{"emoji": "👍", "count": 2, "mine": True}]
    for emoji in ("😀", "😃", "😄", "😁"):
        await one.ok("PUT", f"{path}/reactions/{emoji}")
    assert await one.refused("PUT", f"{path}/reactions/😆") == "messaging.reaction.too_many"


async def test_polls(talk):
    one, other, dialog_id, _, _ = talk

    async def ask(**rest):
        content = {"type": "poll", "question": "Where?", "options": ["here", "there", "nowhere"], **rest}
        body = {"client_message_id": str(uuid.uuid4()), "content": content}
        sent = await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)
        return f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}"

    single = await ask()
    seen = await other.ok("PUT", f"{single}/vote", {"options": [2]})
    assert (seen["votes"], seen["mine"], seen["voters"]) == ([0, 0, 1], [2], 1)
    assert (await other.ok("PUT", f"{single}/vote", {"options": [0]}))["votes"] == [1, 0, 0]
    assert await other.refused("PUT", f"{single}/vote", {"options": [0, 1]}) == "messaging.poll.vote_invalid"
    assert await other.refused("PUT", f"{single}/vote", {"options": [3]}) == "messaging.poll.vote_invalid"
    assert (await other.ok("PUT", f"{single}/vote", {"options": []}))["voters"] == 0
    assert await other.refused("POST", f"{single}/close-poll", {}) == "messaging.dialog.not_allowed"
    assert (await one.ok("POST", f"{single}/close-poll", {}))["closed_at"]
    assert await other.refused("PUT", f"{single}/vote", {"options": [0]}) == "messaging.poll.closed"
    hidden = await ask(anonymous=True, multiple=True)
    await other.ok("PUT", f"{hidden}/vote", {"options": [0, 2]})
    news = (await one.ok("POST", "/v1/sync", {"dialogs": {dialog_id: 0}}))["dialogs"][0]["events"]
    assert str(other.user_id) not in str([each for each in news if each["type"] == "poll.changed"][-1])


async def test_forwards_name_the_first_origin_and_only_what_the_caller_sees(world, talk):
    one, other, dialog_id, _, seq = talk
    stranger = await world.person()
    elsewhere = await world.group(other, stranger)

    async def forward(person, target, source, source_seq):
        body = {"client_message_id": str(uuid.uuid4()), "forward_from": {"dialog_id": source, "seq": source_seq}}
        return await person.do("POST", f"/v1/dialogs/{target}/messages", body)

    sent = (await forward(other, elsewhere, dialog_id, seq)).json
    again = (await forward(stranger, elsewhere, elsewhere, sent["seq"])).json
    messages = {each["seq"]: each for each in await stranger.messages(elsewhere)}
    assert messages[again["seq"]]["content"]["text"] == "first"
    assert messages[again["seq"]]["forward"]["sender_id"] == str(one.user_id)
    refused = await forward(stranger, elsewhere, dialog_id, seq)
    assert (refused.status, refused.code) == (404, "messaging.message.not_found")


async def test_drafts_are_kept_sealed_and_synced(world, talk):
    one, _, dialog_id, _, _ = talk
    assert (await one.ok("PUT", f"/v1/dialogs/{dialog_id}/draft", {"text": "half a thou"}))["version"] == 1
    assert (await one.ok("PUT", f"/v1/dialogs/{dialog_id}/draft", {"text": "half a thought"}))["version"] == 2
    [draft] = (await one.ok("GET", "/v1/dialogs/drafts"))["items"]
    assert draft["text"] == "half a thought"
    events = (await one.ok("POST", "/v1/sync", {}))["account_events"]
    assert events[-1]["type"] == "draft.changed"
    assert "thought" not in str(events)
    await one.ok("PUT", f"/v1/dialogs/{dialog_id}/draft", {"text": ""})
    assert (await one.ok("GET", "/v1/dialogs/drafts"))["items"] == []


async def test_a_scheduled_message_is_sent_once_at_its_time(world, talk):
    one, other, dialog_id, _, _ = talk
    message = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "later"}}
    body = {
        "dialog_id": dialog_id,
        "message": message,
        "send_at": (datetime.now(UTC) + timedelta(seconds=5.5)).isoformat(),
    }
    kept = await one.ok("POST", "/v1/scheduled-messages", body)
    assert kept["status"] == "pending"
    assert len(await other.messages(dialog_id)) == 1

    async def arrived():
        return [each for each in await other.messages(dialog_id) if each["content"]["text"] == "later"]

    assert len(await eventually(arrived, timeout_s=15, what="the scheduled message")) == 1
    assert (await one.ok("GET", "/v1/scheduled-messages"))["items"] == []
    past = {**body, "send_at": "2020-01-01T00:00:00Z"}
    past["message"] = {**message, "client_message_id": str(uuid.uuid4())}
    assert await one.refused("POST", "/v1/scheduled-messages", past) == "messaging.scheduled.time_invalid"


async def test_a_scheduled_message_can_be_called_back(talk):
    one, _, dialog_id, _, _ = talk
    message = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "never"}}
    body = {"dialog_id": dialog_id, "message": message, "send_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    kept = await one.ok("POST", "/v1/scheduled-messages", body)
    await one.ok("DELETE", f"/v1/scheduled-messages/{kept['scheduled_id']}")
    assert (
        await one.refused("DELETE", f"/v1/scheduled-messages/{kept['scheduled_id']}") == "messaging.scheduled.not_found"
    )
