"""Acts on messages, and that a stream replayed over an old state gives what a fresh fetch gives."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from messaging.files.usecases.retract_attachment import RetractAttachment, retract_attachment
from messaging.lifecycle.usecases.apply_retention import ApplyRetention, apply_retention
from sampan.commerce.v1.product_pb2 import ProductPublished, ProductWithdrawn
from sampan.types.v1.money_pb2 import Money
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


FIELDS = {"pin.changed": "pinned", "poll.changed": "poll", "card.changed": "card"}


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
    elif kind in FIELDS:
        messages[event["message_seq"]] = {**subject, FIELDS[kind]: event[FIELDS[kind]]}
    elif kind == "dialog.changed":
        forget(messages, event["dialog"].get("oldest_seq", 0))


def forget(messages, oldest_seq):
    for seq in [each for each in messages if each < oldest_seq]:
        del messages[seq]


SHARED = ("title", "description", "is_public", "join_approval", "slow_mode_s", "members_max", "retention_days")
SHARED += ("permissions", "closed_at", "oldest_seq", "version", "member_count")
OWN = ("read_seq", "marked_unread", "pinned_at", "archived_at", "silent_until", "notification_level")


async def fresh_place(person, dialog_id):
    """Everything but messages, fetched."""
    path = f"/v1/dialogs/{dialog_id}"
    dialog = await person.dialog(dialog_id)
    members = (await person.ok("GET", f"{path}/members?limit=100"))["items"]
    banned = (await person.ok("GET", f"{path}/members?limit=100&banned=true"))["items"]
    drafts = (await person.ok("GET", "/v1/dialogs/drafts"))["items"]
    scheduled = (await person.ok("GET", "/v1/scheduled-messages"))["items"]
    return {
        "seq": dialog["last_seq"],
        "account_seq": (await person.ok("POST", "/v1/sync", {}))["account_seq"],
        "dialog": {name: dialog[name] for name in SHARED},
        "own": {name: dialog["me"][name] for name in OWN},
        "members": {
            each["user_id"]: tuple(each[name] for name in ("role", "status", "muted_until")) for each in members
        },
        "banned": {each["user_id"] for each in banned},
        "drafts": {each["dialog_id"]: each["version"] for each in drafts},
        "scheduled": {each["scheduled_id"]: each["send_at"] for each in scheduled},
    }


async def replayed_place(person, dialog_id, state):
    """An old state with the events since applied."""
    asked = {"dialogs": {dialog_id: state["seq"]}, "account_seq": state["account_seq"], "limit_per_dialog": 200}
    answer = await person.ok("POST", "/v1/sync", asked)
    made = {name: value.copy() if isinstance(value, dict | set) else value for name, value in state.items()}
    for event in [each for news in answer["dialogs"] if news["dialog_id"] == dialog_id for each in news["events"]]:
        assert event["seq"] == made["seq"] + 1
        made["seq"] = event["seq"]
        if event["type"] == "member.changed":
            apply_member(made, event["member"])
        elif event["type"] == "dialog.changed":
            made["dialog"] |= {name: value for name, value in event["dialog"].items() if name in SHARED}
            made["dialog"]["version"] += 1
            # What is gone counts as read.
            made["own"]["read_seq"] = max(made["own"]["read_seq"], event["dialog"].get("oldest_seq", 0) - 1)
    for event in answer["account_events"]:
        assert event["account_seq"] == made["account_seq"] + 1
        made["account_seq"] = event["account_seq"]
        apply_own(made, event, dialog_id)
    return made


def apply_member(state, member):
    who = member["user_id"]
    state["banned"].discard(who)
    if member["status"] in {"active", "muted"}:
        state["members"][who] = tuple(member[name] for name in ("role", "status", "muted_until"))
    else:
        state["members"].pop(who, None)
        if member["status"] == "banned":
            state["banned"].add(who)
    state["dialog"]["member_count"] = len(state["members"])


def apply_own(state, event, dialog_id):
    kind = event["type"]
    if kind == "draft.changed":
        state["drafts"][event["dialog_id"]] = event["version"]
        if event["thrown_away"]:
            del state["drafts"][event["dialog_id"]]
    elif kind == "scheduled.changed":
        if event.get("status") == "pending":
            state["scheduled"][event["scheduled_id"]] = event["send_at"]
        else:
            state["scheduled"].pop(event["scheduled_id"], None)
    elif event["dialog_id"] == dialog_id and kind == "read.changed":
        state["own"] |= {"read_seq": event["read_seq"], "marked_unread": False}
    elif event["dialog_id"] == dialog_id and kind == "dialog.settings":
        state["own"] |= {name: event[name] for name in OWN if name in event}


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


async def retire(world, dialog_id, upto_seq):
    """What is up to a seq is a month old, and its time is over."""
    async with world.app.begin() as tx:
        for table in ("message", "change"):
            await tx.conn.execute(
                f"UPDATE {table} SET created_at = created_at - interval '31 days' WHERE dialog_id = $1 AND seq <= $2",
                *(uuid.UUID(dialog_id), upto_seq),
            )
        await tx.conn.execute("UPDATE dialog_month SET month = '2020-01-01' WHERE dialog_id = $1", uuid.UUID(dialog_id))
    await apply_retention(ApplyRetention(days_max=None, now=world.app.clock.now()), world.app.begin)


async def test_members_settings_and_what_is_ones_own_replayed_equal_a_fresh_fetch(world, talk):
    one, other, dialog_id, _, seq = talk
    third, stranger, former = [await world.person() for _ in range(3)]
    path = f"/v1/dialogs/{dialog_id}"
    theirs = f"{path}/members/{other.user_id}"
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    later = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "later"}}
    held = {**later, "client_message_id": str(uuid.uuid4())}

    def set_(**changes):
        return lambda: one.ok("PATCH", path, changes, headers={"If-Match": "*"})

    def own(**changes):
        return lambda: one.ok("PATCH", f"{path}/settings", changes)

    def plan(message):
        return lambda: one.ok(
            "POST", "/v1/scheduled-messages", {"dialog_id": dialog_id, "message": message, "send_at": soon}
        )

    steps = [
        lambda: one.ok("POST", f"{path}/members", {"user_ids": [str(third.user_id), str(former.user_id)]}),
        lambda: one.ok("PATCH", theirs, {"role": "admin"}),
        lambda: one.ok("PATCH", theirs, {"muted": True, "muted_until": soon}),
        lambda: one.ok("PATCH", theirs, {"role": "member"}),
        lambda: one.ok("PATCH", theirs, {"muted": False}),
        lambda: one.ok("PATCH", theirs, {"muted": True}),
        lambda: third.ok("DELETE", f"{path}/members/{third.user_id}"),
        lambda: one.ok("DELETE", f"{path}/members/{former.user_id}"),
        lambda: one.ok("PUT", f"{path}/bans/{stranger.user_id}"),
        lambda: one.ok("PUT", f"{path}/bans/{stranger.user_id}"),
        lambda: one.ok("PUT", f"{path}/bans/{former.user_id}"),
        lambda: one.ok("DELETE", f"{path}/bans/{stranger.user_id}"),
        lambda: one.ok("POST", f"{path}/members", {"user_ids": [str(stranger.user_id)]}),
        lambda: one.ok("PUT", f"{path}/bans/{stranger.user_id}"),
        set_(title="New", description="of it", slow_mode_s=5),
        set_(retention_days=30, permissions={"member": ["send", "react"]}),
        set_(join_approval=True, members_max=50),
        lambda: one.ok("POST", f"{path}/close", {}),
        lambda: one.ok("POST", f"{path}/reopen", {}),
        lambda: one.ok("PUT", f"{path}/draft", {"text": "half"}),
        lambda: one.ok("PUT", f"{path}/draft", {"text": "half a thought"}),
        plan(later),
        plan(later),
        plan(held),
        lambda: one.ok("DELETE", f"/v1/scheduled-messages/{later['client_message_id']}"),
        lambda: one.ok("PUT", f"{path}/draft", {"text": ""}),
        own(pinned=True, notification_level="mentions", silent_until=soon),
        own(pinned=False, archived=True, silent_until=None),
        lambda: one.ok("PUT", f"{path}/read-cursor", {"read_seq": seq}),
        lambda: one.ok("PUT", f"{path}/read-cursor", {"marked_unread": True}),
        lambda: one.ok("PUT", f"{path}/read-cursor", {"read_seq": 2**50}),
        lambda: one.ok("PUT", f"{path}/read-cursor", {"marked_unread": True}),
        lambda: one.ok("PUT", f"{path}/read-cursor", {"marked_unread": False}),
        lambda: one.ok("PUT", f"{path}/owner", {"user_id": str(other.user_id)}),
    ]
    start = state = await fresh_place(one, dialog_id)
    for number, step in enumerate(steps):
        await step()
        state = await replayed_place(one, dialog_id, state)
        assert state == await fresh_place(one, dialog_id), number
    assert await replayed_place(one, dialog_id, start) == state


async def test_what_time_ends_replayed_equals_a_fresh_fetch(world, talk):
    one, other, dialog_id, _, seq = talk
    await one.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"retention_days": 30}, headers={"If-Match": "*"})
    await other.send(dialog_id, "stays")
    messages, place = await client_state(other, dialog_id), await fresh_place(one, dialog_id)
    assert seq in messages["messages"]
    await retire(world, dialog_id, seq)
    messages = await client_state(other, dialog_id, messages)
    assert messages == await client_state(other, dialog_id)
    assert seq not in messages["messages"]
    assert await replayed_place(one, dialog_id, place) == await fresh_place(one, dialog_id)


async def test_cards_and_files_taken_back_replayed_equal_a_fresh_fetch(world, talk):
    one, other, dialog_id, _, _ = talk
    product = {"product_id": str(uuid.uuid4()), "shop_id": str(uuid.uuid4())}
    price = Money(amount_minor=125_000, currency="THB")
    await world.publish(ProductPublished(**product, title="Lantern", price_from=price, status="active"), version=1)
    content = {"type": "product", "product_id": product["product_id"]}

    async def shown():
        body = {"client_message_id": str(uuid.uuid4()), "content": content}
        return (await one.do("POST", f"/v1/dialogs/{dialog_id}/messages", body)).status == 201

    await eventually(shown, timeout_s=15, what="the product is known")
    file_id = await one.clean(b"%PDF-1.4 hello", purpose="file", media_type="application/pdf", name="a.pdf")
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "file", "attachment_ids": [file_id]}}
    await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)
    state = await client_state(other, dialog_id)
    await world.publish(ProductWithdrawn(**product, status="out_of_stock"), version=2)

    async def followed():
        return (await other.dialog(dialog_id))["last_seq"] > state["seq"]

    await eventually(followed, timeout_s=15, what="the card follows")
    after_card = await client_state(other, dialog_id, state)
    assert after_card == await client_state(other, dialog_id)
    async with world.app.begin() as tx:
        found = await tx.attachments.find(uuid.UUID(file_id))
        await retract_attachment(RetractAttachment(attachment=found, status="infected", verdict="late"), tx)
    assert await client_state(other, dialog_id, after_card) == await client_state(other, dialog_id)
    assert await client_state(other, dialog_id, state) == await client_state(other, dialog_id)
    assert "infected" in str(await client_state(other, dialog_id))


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


@pytest.mark.parametrize("hindered", ["muted", "closed", "narrowed", "demoted", "guest"])
async def test_ones_own_words_can_always_be_deleted_and_not_edited(world, hindered):
    owner, member, other = [await world.person() for _ in range(3)]
    dialog_id = await world.group(owner, member, other, kind="channel" if hindered == "demoted" else "group")
    path = f"/v1/dialogs/{dialog_id}"
    place = f"{path}/members/{member.user_id}"
    await owner.ok("PATCH", place, {"role": "admin"})
    own = f"{path}/messages/{(await member.send(dialog_id, 'mine'))['seq']}"
    others = f"{path}/messages/{(await owner.send(dialog_id, 'theirs'))['seq']}"
    await owner.ok("PATCH", place, {"role": "guest" if hindered == "guest" else "member"})
    match hindered:
        case "muted":
            await owner.ok("PATCH", place, {"muted": True})
        case "closed":
            await owner.ok("POST", f"{path}/close", {})
        case "narrowed" | "guest":
            permissions = {"permissions": {"member": [], "guest": []}}
            await owner.ok("PATCH", path, permissions, headers={"If-Match": "*"})
    assert (await member.do("PATCH", own, {"content": {"type": "text", "text": "unsaid"}})).status in {403, 409}
    assert (await member.do("DELETE", others)).status in {403, 409}
    await member.ok("DELETE", own)
    await member.ok("DELETE", own)
    [shown] = [each for each in await other.messages(dialog_id) if own.endswith(f"/{each['seq']}")]
    assert (shown["content"], bool(shown["deleted_at"])) == (None, True)
    # Who is out is out: their words are the dialog's.
    assert await (await world.person()).refused("DELETE", own) == "messaging.dialog.not_found"


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
        "send_at": (datetime.now(UTC) + timedelta(seconds=8)).isoformat(),
    }
    kept = await one.ok("POST", "/v1/scheduled-messages", body)
    assert kept["status"] == "pending"
    assert len(await other.messages(dialog_id)) == 1

    async def arrived():
        return [each for each in await other.messages(dialog_id) if each["content"]["text"] == "later"]

    assert len(await eventually(arrived, timeout_s=25, what="the scheduled message")) == 1

    async def nothing_waits():
        return (await one.ok("GET", "/v1/scheduled-messages"))["items"] == []

    await eventually(nothing_waits, what="it waits no longer")
    assert await eventually(lambda: _statuses(one, ["pending", "sent"]), what="its devices are told")
    past = {**body, "send_at": "2020-01-01T00:00:00Z"}
    past["message"] = {**message, "client_message_id": str(uuid.uuid4())}
    assert await one.refused("POST", "/v1/scheduled-messages", past) == "messaging.scheduled.time_invalid"


async def _statuses(person, wanted):
    events = (await person.ok("POST", "/v1/sync", {}))["account_events"]
    return [each["status"] for each in events if each["type"] == "scheduled.changed"] == wanted


async def test_a_scheduled_message_can_be_called_back(talk):
    one, _, dialog_id, _, _ = talk
    message = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "never"}}
    body = {"dialog_id": dialog_id, "message": message, "send_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    kept = await one.ok("POST", "/v1/scheduled-messages", body)
    await one.ok("DELETE", f"/v1/scheduled-messages/{kept['scheduled_id']}")
    assert (
        await one.refused("DELETE", f"/v1/scheduled-messages/{kept['scheduled_id']}") == "messaging.scheduled.not_found"
    )


async def test_a_message_is_the_same_wherever_it_is_shown(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    path = f"/v1/dialogs/{dialog_id}"
    contents = [
        {"type": "text", "text": "hello"},
        {"type": "poll", "question": "?", "options": ["a", "b"]},
    ]
    for content in contents:
        body = {"client_message_id": str(uuid.uuid4()), "content": content}
        message = f"{path}/messages/{(await nok.ok('POST', f'{path}/messages', body))['seq']}"
        for person in (nok, budi):
            await person.ok("PUT", f"{message}/reactions/👍")
        await nok.ok("PUT", f"{message}/pin")
        if content["type"] == "poll":
            await budi.ok("PUT", f"{message}/vote", {"options": [1]})
        for person in (nok, budi):
            shown = await person.ok("GET", message)
            assert shown["pinned"]
            assert shown["reactions"][0]["mine"]
            assert (await person.dialog(dialog_id))["last_message"] == shown
        if content["type"] == "text":
            edited = await nok.ok("PATCH", message, {"content": {"type": "text", "text": "hello there"}})
            assert edited == await nok.ok("GET", message)
