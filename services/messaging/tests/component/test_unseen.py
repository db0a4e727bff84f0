"""What one may not see is not there: for no act, in no answer, and whatever version one guesses."""

import asyncio
import uuid

import pytest

NOWHERE = 99_999
TEXT = {"type": "text", "text": "new"}


def message(**rest):
    return {"client_message_id": str(uuid.uuid4()), "content": TEXT, **rest}


ACTS = {
    "read": ("GET", "{message}", None),
    "reply": ("POST", "{dialog}/messages", lambda seq: message(reply_to_seq=seq)),
    "thread": ("POST", "{dialog}/messages", lambda seq: message(thread_seq=seq)),
    "hide": ("DELETE", "{message}?whom=me", None),
    "delete": ("DELETE", "{message}?whom=all", None),
    "edit": ("PATCH", "{message}", lambda _: {"content": TEXT}),
    "react": ("PUT", "{message}/reactions/like", None),
    "take back": ("DELETE", "{message}/reactions/like", None),
    "pin": ("PUT", "{message}/pin", None),
    "unpin": ("DELETE", "{message}/pin", None),
    "vote": ("PUT", "{message}/vote", lambda _: {"options": [0]}),
    "close the poll": ("POST", "{message}/close-poll", lambda _: {}),
    "see who read": ("GET", "{message}/seen-by", None),
    "see revisions": ("GET", "{message}/revisions", None),
    "see the thread": ("GET", "{message}/thread", None),
    "report": ("POST", "/v1/messages/reports", None),
}


async def answer(person, dialog_id, act, seq):
    method, path, body = ACTS[act]
    dialog = f"/v1/dialogs/{dialog_id}"
    said = body(seq) if body else None
    if act == "report":
        said = {"dialog_id": dialog_id, "seq": seq, "reason": "spam"}
    found = await person.do(method, path.format(dialog=dialog, message=f"{dialog}/messages/{seq}"), said)
    return found.status, found.code


async def forward(person, dialog_id, seq):
    body = {"client_message_id": str(uuid.uuid4()), "forward_from": {"dialog_id": dialog_id, "seq": seq}}
    found = await person.do("POST", f"/v1/dialogs/{dialog_id}/messages", body)
    return found.status, found.code


@pytest.mark.parametrize("hidden_by", ["history from joining on", "retention"])
@pytest.mark.parametrize("kind", ["text", "poll"])
async def test_a_message_one_may_not_see_is_not_there_for_any_act(world, hidden_by, kind):
    owner, newcomer = await world.person(), await world.person()
    dialog_id = await world.group(owner)
    content = TEXT if kind == "text" else {"type": "poll", "question": "?", "options": ["a", "b"]}
    before = (await owner.ok("POST", f"/v1/dialogs/{dialog_id}/messages", message(content=content)))["seq"]
    if hidden_by == "retention":
        async with world.app.begin() as tx:
            await tx.conn.execute(
                "UPDATE dialog SET oldest_seq = last_seq + 1 WHERE dialog_id = $1", uuid.UUID(dialog_id)
            )
    else:
        await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"history_from": "join"}, headers={"If-Match": "*"})
    await owner.ok("POST", f"/v1/dialogs/{dialog_id}/members", {"user_ids": [str(newcomer.user_id)]})
    for act in ACTS:
        unseen, nowhere = [await answer(newcomer, dialog_id, act, seq) for seq in (before, NOWHERE)]
        assert unseen == nowhere, act
        assert unseen[0] in {403, 404, 422}, act
    assert await forward(newcomer, dialog_id, before) == await forward(newcomer, dialog_id, NOWHERE)
    async with world.app.database.read() as conn:
        hidden = await conn.fetchval("SELECT count(*) FROM hidden_message WHERE user_id = $1", newcomer.user_id)
    assert hidden == 0


@pytest.mark.parametrize("written_by", ["another", "oneself"])
@pytest.mark.parametrize("kind", ["text", "poll"])
async def test_what_one_deleted_for_oneself_is_not_there_for_any_act(world, kind, written_by):
    """But to delete it again, which changes nothing, and what one wrote for all: that one may always take back."""
    hider, other = await world.person(), await world.person()
    dialog_id = await world.group(hider, other)
    content = TEXT if kind == "text" else {"type": "poll", "question": "?", "options": ["a", "b"]}
    writer = other if written_by == "another" else hider
    path = f"/v1/dialogs/{dialog_id}/messages"
    seq = (await writer.ok("POST", path, message(content=content)))["seq"]
    answered = (await other.send(dialog_id, "in its thread", thread_seq=seq))["seq"]
    await hider.ok("DELETE", f"{path}/{seq}?whom=me")
    for act in ACTS.keys() - {"hide", "delete"}:
        unseen, nowhere = [await answer(hider, dialog_id, act, each) for each in (seq, NOWHERE)]
        assert unseen == nowhere, act
        assert unseen[0] in {404, 422}, act
    assert await forward(hider, dialog_id, seq) == await forward(hider, dialog_id, NOWHERE)
    assert await hider.refused("POST", path, message(thread_seq=answered)) == "messaging.message.reply_target_missing"
    assert await answer(hider, dialog_id, "hide", seq) == (204, "")
    for act in ACTS.keys() - {"hide", "delete", "vote", "close the poll", "edit", "take back", "unpin"}:
        assert (await answer(other, dialog_id, act, seq))[0] < 300, act
    deleted = await answer(hider, dialog_id, "delete", seq)
    assert deleted == ((204, "") if writer is hider else await answer(hider, dialog_id, "delete", NOWHERE))


async def test_a_reply_of_one_batch_is_refused_to_who_hid_its_target_alone(world):
    """Sends of one dialog are stored together: each sender's own sight decides."""
    hider, other = await world.person(), await world.person()
    dialog_id = await world.group(hider, other)
    seq = (await other.send(dialog_id))["seq"]
    await hider.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{seq}?whom=me")
    found = await asyncio.gather(
        *(answer(each, dialog_id, act, seq) for _ in range(5) for each in (hider, other) for act in ("reply", "thread"))
    )
    assert [status for status, _ in found] == [422, 422, 201, 201] * 5


async def test_a_reply_that_is_stored_is_answered_again_whatever_its_sender_hid_since(world):
    hider, other = await world.person(), await world.person()
    dialog_id = await world.group(hider, other)
    seq = (await other.send(dialog_id))["seq"]
    path, said = f"/v1/dialogs/{dialog_id}/messages", message(reply_to_seq=seq)
    sent = await hider.ok("POST", path, said)
    await hider.ok("DELETE", f"{path}/{seq}?whom=me")
    assert (await hider.ok("POST", path, said))["seq"] == sent["seq"]


async def test_what_one_wrote_before_one_left_is_not_there_either(world):
    owner, back = await world.person(), await world.person()
    dialog_id = await world.group(owner, back)
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"history_from": "join"}, headers={"If-Match": "*"})
    own, deleted = [(await back.send(dialog_id))["seq"] for _ in range(2)]
    await back.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{deleted}")
    await back.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{back.user_id}")
    await owner.ok("POST", f"/v1/dialogs/{dialog_id}/members", {"user_ids": [str(back.user_id)]})
    for act in ACTS:
        found = [await answer(back, dialog_id, act, seq) for seq in (own, deleted, NOWHERE)]
        assert len(set(found)) == 1, act


async def test_a_change_is_no_message_and_has_nothing_below_it(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    sent = await one.send(dialog_id)
    for below in ("thread", "revisions", "seen-by"):
        for seq in (1, NOWHERE):
            code = await other.refused("GET", f"/v1/dialogs/{dialog_id}/messages/{seq}/{below}")
            assert code == "messaging.message.not_found"
        assert (await other.do("GET", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}/{below}")).status == 200


async def test_nobody_but_who_may_change_a_dialog_learns_its_version(world):
    owner, member, gone, stranger = [await world.person() for _ in range(4)]
    dialog_id = await world.group(owner, member, gone)
    await gone.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{gone.user_id}")
    path = f"/v1/dialogs/{dialog_id}"
    version = (await owner.dialog(dialog_id))["version"]

    async def tried(person, tag, where=path):
        found = await person.do("PATCH", where, {"title": "mine"}, headers={"If-Match": f'"{tag}"'})
        return found.status, found.code

    for person, refusal in (
        (stranger, (404, "messaging.dialog.not_found")),
        (gone, (404, "messaging.dialog.not_found")),
        (member, (403, "messaging.dialog.not_allowed")),
    ):
        assert [await tried(person, tag) for tag in (version, version + 6)] == [refusal, refusal]
    assert await tried(stranger, 1, f"/v1/dialogs/{uuid.uuid4()}") == (404, "messaging.dialog.not_found")
    assert (await tried(owner, version + 6))[0] == 412
    assert (await tried(owner, version))[0] == 204


async def test_deleting_again_after_leaving_is_answered_as_to_a_stranger(world):
    owner, member = await world.person(), await world.person()
    dialog_id = await world.group(owner, member)
    path = f"/v1/dialogs/{dialog_id}/messages/{(await member.send(dialog_id))['seq']}"
    await member.ok("DELETE", path)
    await member.ok("DELETE", path)
    await member.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{member.user_id}")
    assert await member.refused("DELETE", path) == "messaging.dialog.not_found"


async def receipts(world, person, *, on):
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET read_receipts = $2 WHERE user_id = $1", person.user_id, on)


@pytest.mark.parametrize("kind", ["direct", "group"])
async def test_who_does_not_tell_is_neither_named_nor_counted(world, kind):
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader, kind=kind)
    path = f"/v1/dialogs/{dialog_id}"
    await receipts(world, reader, on=False)
    sent = await writer.send(dialog_id)

    async def seen():
        return await writer.ok("GET", f"{path}/messages/{sent['seq']}/seen-by")

    before = await seen()
    assert before == {"read_count": 0, "delivered_count": 0, "people": []}
    read = await reader.ok("PUT", f"{path}/read-cursor", {"read_seq": sent["seq"]})
    assert (read["unread"], read["read_seq"]) == (0, sent["seq"])
    assert await seen() == before
    await reader.ok("PUT", f"{path}/read-cursor", {"delivered_seq": sent["seq"]})
    assert await seen() == {**before, "delivered_count": 1}
    await receipts(world, reader, on=True)
    told = await seen()
    assert told == {**before, "delivered_count": 1}, "what was read meanwhile is not told later"
    later = await writer.send(dialog_id)
    await reader.ok("PUT", f"{path}/read-cursor", {"read_seq": later["seq"]})
    seen_later = await writer.ok("GET", f"{path}/messages/{later['seq']}/seen-by")
    assert (seen_later["read_count"], len(seen_later["people"])) == (1, 1)
    assert await seen() == told
    await receipts(world, writer, on=False)
    assert await seen() == {**before, "delivered_count": 1}


@pytest.mark.parametrize("kind", ["direct", "group"])
async def test_that_it_was_read_is_no_delivery_to_whoever_does_not_tell(world, kind):
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader, kind=kind)
    path = f"/v1/dialogs/{dialog_id}"
    await receipts(world, writer, on=False)
    sent = await writer.send(dialog_id)
    seen_by = f"{path}/messages/{sent['seq']}/seen-by"
    before = await writer.ok("GET", seen_by)
    read = await reader.ok("PUT", f"{path}/read-cursor", {"read_seq": sent["seq"]})
    assert read["delivered_seq"] == sent["seq"]
    assert await writer.ok("GET", seen_by) == before == {"read_count": 0, "delivered_count": 0, "people": []}
    await receipts(world, writer, on=True)
    told = await writer.ok("GET", seen_by)
    assert (told["read_count"], told["delivered_count"]) == (1, 1)
    await receipts(world, writer, on=False)
    await reader.ok("PUT", f"{path}/read-cursor", {"delivered_seq": sent["seq"]})
    assert (await writer.ok("GET", seen_by))["delivered_count"] == 1


@pytest.mark.parametrize("history_from", ["start", "join"])
async def test_who_read_a_message_left_and_came_back_has_seen_it(world, history_from):
    """Not what was said while they were away, nor what they left unread; stay after stay."""
    writer, other = await world.person(), await world.person()
    dialog_id = await world.group(writer, other)
    path = f"/v1/dialogs/{dialog_id}"
    await writer.ok("PATCH", path, {"history_from": history_from}, headers={"If-Match": "*"})
    said = {}

    async def counts(name):
        seen = await writer.ok("GET", f"{path}/messages/{said[name]['seq']}/seen-by")
        assert seen["read_count"] == len(seen["people"])
        return seen["read_count"], seen["delivered_count"]

    async def leave():
        await other.ok("DELETE", f"{path}/members/{other.user_id}")

    async def come_back():
        await writer.ok("POST", f"{path}/members", {"user_ids": [str(other.user_id)]})

    for stay in ("first", "second"):
        for how in ("read", "got", "neither"):
            said[f"{how} in the {stay} stay"] = await writer.send(dialog_id)
        await other.ok("PUT", f"{path}/read-cursor", {"read_seq": said[f"read in the {stay} stay"]["seq"]})
        await other.ok("PUT", f"{path}/read-cursor", {"delivered_seq": said[f"got in the {stay} stay"]["seq"]})
        await leave()
        assert await counts(f"read in the {stay} stay") == (0, 0), "who is out is not named"
        said[f"while away after the {stay}"] = await writer.send(dialog_id)
        await come_back()
    said["last"] = await writer.send(dialog_id)
    await other.ok("PUT", f"{path}/read-cursor", {"read_seq": said["last"]["seq"]})
    expected = {name: (1, 1) if name.startswith("read") else (0, int(name.startswith("got"))) for name in said}
    assert {name: await counts(name) for name in said} == {**expected, "last": (1, 1)}
    await receipts(world, other, on=False)
    assert {(await counts(name))[0] for name in said} == {0}


async def test_of_very_many_stays_the_earlier_are_forgotten_and_nothing_grows_for_ever(world):
    writer, other = await world.person(), await world.person()
    dialog_id = await world.group(writer, other)
    path = f"/v1/dialogs/{dialog_id}"
    async with world.app.database.begin() as conn:
        await conn.execute(
            "UPDATE member SET read_before = (SELECT range_agg(int8range(2 * n, 2 * n + 1)) FROM generate_series(1, 500) n)"
            " WHERE dialog_id = $1 AND user_id = $2",
            *(uuid.UUID(dialog_id), other.user_id),
        )
    sent = await writer.send(dialog_id)
    await other.ok("PUT", f"{path}/read-cursor", {"read_seq": sent["seq"]})
    await other.ok("DELETE", f"{path}/members/{other.user_id}")
    await writer.ok("POST", f"{path}/members", {"user_ids": [str(other.user_id)]})
    assert (await writer.ok("GET", f"{path}/messages/{sent['seq']}/seen-by"))["read_count"] == 1
    async with world.app.database.read() as conn:
        size = await conn.fetchval(
            "SELECT pg_column_size(read_before) FROM member WHERE dialog_id = $1 AND user_id = $2",
            *(uuid.UUID(dialog_id), other.user_id),
        )
    assert size < 100


async def test_who_came_after_a_message_has_not_seen_it(world):
    writer, reader, newcomer = [await world.person() for _ in range(3)]
    dialog_id = await world.group(writer, reader)
    sent = await writer.send(dialog_id)
    await writer.ok("POST", f"/v1/dialogs/{dialog_id}/members", {"user_ids": [str(newcomer.user_id)]})
    last = await writer.send(dialog_id)
    for person in (reader, newcomer):
        await person.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": last["seq"]})
    for seq, readers in ((sent["seq"], [reader]), (last["seq"], [reader, newcomer])):
        seen = await writer.ok("GET", f"/v1/dialogs/{dialog_id}/messages/{seq}/seen-by")
        assert {each["user_id"] for each in seen["people"]} == {str(each.user_id) for each in readers}
        assert (seen["read_count"], seen["delivered_count"]) == (len(readers), len(readers))


async def wish(world, person, who):
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET direct_from = $2 WHERE user_id = $1", person.user_id, who)


@pytest.mark.parametrize("kind", ["group", "channel"])
async def test_no_dialog_of_many_passes_a_wish_about_who_may_write(world, kind):
    quiet, stranger, another = [await world.person() for _ in range(3)]
    await wish(world, quiet, "nobody")
    for others in ([quiet], [quiet, another]):
        body = {"kind": kind, "title": "psst", "user_ids": [str(each.user_id) for each in others]}
        assert await stranger.refused("POST", "/v1/dialogs", body) == "messaging.dialog.people_unknown"
    dialog_id = await world.group(stranger, another, kind=kind)
    added = {"user_ids": [str(quiet.user_id)]}
    path = f"/v1/dialogs/{dialog_id}"
    assert await stranger.refused("POST", f"{path}/members", added) == "messaging.dialog.people_unknown"
    assert await quiet.refused("GET", path) == "messaging.dialog.not_found"
    # By an invite they agree themselves; who is in stays in, whoever adds them again.
    link = await stranger.ok("POST", f"{path}/invites", {})
    assert (await quiet.ok("POST", "/v1/dialogs/join", {"token": link["token"]}))["outcome"] == "joined"
    await stranger.ok("POST", f"{path}/members", added)


async def test_friends_may_add_who_wants_to_hear_from_friends(world):
    shy, friend, stranger = [await world.person() for _ in range(3)]
    await wish(world, shy, "friends")
    async with world.app.begin() as tx:
        await tx.conn.execute("INSERT INTO friendship VALUES ($1, $2, 1, true)", shy.user_id, friend.user_id)
    body = {"kind": "group", "title": "us", "user_ids": [str(shy.user_id)]}
    assert await stranger.refused("POST", "/v1/dialogs", body) == "messaging.dialog.people_unknown"
    assert (await friend.do("POST", "/v1/dialogs", body)).status == 201


async def test_an_invite_is_revoked_by_who_made_it_or_who_manages_members(world):
    owner, moderator, member, another = [await world.person() for _ in range(4)]
    dialog_id = await world.group(owner, moderator, member, another)
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}/members/{moderator.user_id}", {"role": "moderator"})
    path = f"/v1/dialogs/{dialog_id}/invites"

    async def made(person):
        return f"{path}/{(await person.ok('POST', path, {}))['invite_id']}"

    for maker in (owner, another):
        assert await member.refused("DELETE", await made(maker)) == "messaging.dialog.not_allowed"
    assert await member.refused("DELETE", f"{path}/{uuid.uuid4()}") == "messaging.dialog.not_allowed"
    assert await owner.refused("DELETE", f"{path}/{uuid.uuid4()}") == "messaging.invite.invalid"
    for person, maker in ((member, member), (moderator, member), (owner, moderator)):
        await person.ok("DELETE", await made(maker))


async def test_ones_own_invite_is_revoked_by_whoever_may_invite_no_longer(world):
    """It would live again with the permission."""
    owner, member, another, friend, late = [await world.person() for _ in range(5)]
    path = f"/v1/dialogs/{await world.group(owner, member, another)}"
    own, others, left = [await person.ok("POST", f"{path}/invites", {}) for person in (member, another, another)]

    async def may(*acts):
        permissions = {"member": acts} if acts else {}
        await owner.ok("PATCH", path, {"permissions": permissions}, headers={"If-Match": "*"})

    await may("send", "react")
    await member.ok("DELETE", f"{path}/invites/{own['invite_id']}")
    assert await member.refused("DELETE", f"{path}/invites/{others['invite_id']}") == "messaging.dialog.not_allowed"
    await another.ok("DELETE", f"{path}/members/{another.user_id}")
    assert await another.refused("DELETE", f"{path}/invites/{left['invite_id']}") == "messaging.dialog.not_found"
    kept = await owner.ok("POST", f"{path}/invites", {})
    await may()
    assert await friend.refused("POST", "/v1/dialogs/join", {"token": own["token"]}) == "messaging.invite.invalid"
    assert (await late.ok("POST", "/v1/dialogs/join", {"token": kept["token"]}))["outcome"] == "joined"
