"""Who may change, see and hear what in a dialog of many, and what holds over coming back."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

NOT_ALLOWED = "messaging.dialog.not_allowed"
NOT_FOUND = "messaging.dialog.not_found"


def text(words="x"):
    return {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": words}}


@pytest.fixture
async def club(world):
    owner, admin, member, stranger = [await world.person(name) for name in ("Own", "Adm", "Mem", "Str")]
    dialog_id = await world.group(owner, admin, member, title="Club")
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}/members/{admin.user_id}", {"role": "admin"})
    return owner, admin, member, stranger, dialog_id


async def roles_of(person, dialog_id):
    return {
        each["user_id"]: each["role"] for each in (await person.ok("GET", f"/v1/dialogs/{dialog_id}/members"))["items"]
    }


async def permit(person, dialog_id, permissions):
    path = f"/v1/dialogs/{dialog_id}"
    etag = (await person.do("GET", path)).headers["ETag"]
    return await person.do("PATCH", path, {"permissions": permissions}, headers={"If-Match": etag})


async def test_nobody_changes_what_their_own_rank_or_a_higher_one_may(club):
    owner, admin, member, _, dialog_id = club
    narrowed = ["send", "change_info", "manage_roles"]
    for person, permissions in (
        (admin, {"owner": []}),
        (owner, {"owner": []}),
        (admin, {"admin": ["send"]}),
    ):
        answer = await permit(person, dialog_id, permissions)
        assert (answer.status, answer.code) == (403, NOT_ALLOWED), permissions
    assert (await permit(owner, dialog_id, {"admin": narrowed})).status == 204
    # What stands for them stays: leaving it out would give it back.
    assert (await permit(admin, dialog_id, {})).code == NOT_ALLOWED
    assert (await permit(admin, dialog_id, {"admin": narrowed, "member": ["react"]})).status == 204
    assert await member.refused("POST", f"/v1/dialogs/{dialog_id}/messages", text()) == NOT_ALLOWED


async def test_an_owner_who_was_locked_out_is_no_longer(club, world):
    owner, _, _, _, dialog_id = club
    async with world.app.begin() as tx:
        await tx.conn.execute("""UPDATE dialog SET permissions = '{"owner": []}' WHERE dialog_id = $1""", dialog_id)
    await owner.send(dialog_id)


@pytest.mark.parametrize("way", ["left", "removed", "banned"])
async def test_a_mute_holds_over_coming_back(world, way):
    owner, member, calm = [await world.person() for _ in range(3)]
    dialog_id = await world.group(owner, member, calm, is_public=True)
    path = f"/v1/dialogs/{dialog_id}"
    await owner.ok("PATCH", f"{path}/members/{member.user_id}", {"muted": True})
    timed = await world.person()
    await owner.ok("POST", f"{path}/members", {"user_ids": [str(timed.user_id)]})
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await owner.ok("PATCH", f"{path}/members/{timed.user_id}", {"muted": True, "muted_until": later})
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    await owner.ok("PATCH", f"{path}/members/{calm.user_id}", {"muted": True, "muted_until": soon})
    for person in (member, calm, timed):
        if way == "left":
            await person.ok("DELETE", f"{path}/members/{person.user_id}")
        elif way == "removed":
            await owner.ok("DELETE", f"{path}/members/{person.user_id}")
        else:
            await owner.ok("PUT", f"{path}/bans/{person.user_id}")
            banned = (await owner.ok("GET", f"{path}/members?banned=true"))["items"]
            assert [(each["status"], each["muted_until"]) for each in banned] == [("banned", None)]
            await owner.ok("DELETE", f"{path}/bans/{person.user_id}")
    await member.ok("POST", f"{path}/join", {})
    assert await member.refused("POST", f"{path}/messages", text()) == "messaging.member.muted"
    assert (await member.dialog(dialog_id))["me"]["status"] == "muted"
    news = (await owner.ok("POST", "/v1/sync", {"dialogs": {dialog_id: 0}}))["dialogs"][0]["events"]
    told = news[-1]["member"]
    assert (told["user_id"], told["status"]) == (str(member.user_id), "muted")
    await timed.ok("POST", f"{path}/join", {})
    assert await timed.refused("POST", f"{path}/messages", text()) == "messaging.member.muted"
    mine = (await timed.dialog(dialog_id))["me"]
    assert (mine["status"], datetime.fromisoformat(mine["muted_until"])) == ("muted", datetime.fromisoformat(later))
    await asyncio.sleep(max(0.0, (datetime.fromisoformat(soon) - datetime.now(UTC)).total_seconds()))
    await calm.ok("POST", f"{path}/join", {})
    await calm.send(dialog_id)
    await owner.ok("PATCH", f"{path}/members/{member.user_id}", {"muted": False})
    await member.ok("DELETE", f"{path}/members/{member.user_id}")
    await member.ok("POST", f"{path}/join", {})
    await member.send(dialog_id)


async def test_a_change_of_nothing_tells_no_more_than_a_change(club):
    owner, admin, member, stranger, dialog_id = club
    path, nobody = f"/v1/dialogs/{dialog_id}/members", uuid.uuid4()
    for body in ({}, {"role": None, "muted": None, "muted_until": None}):
        assert await stranger.refused("PATCH", f"{path}/{member.user_id}", body) == NOT_FOUND
        assert await owner.refused("PATCH", f"/v1/dialogs/{nobody}/members/{nobody}", body) == NOT_FOUND
        assert await owner.refused("PATCH", f"{path}/{nobody}", body) == "messaging.member.not_found"
        await owner.ok("PATCH", f"{path}/{admin.user_id}", body)


async def test_the_end_of_a_mute_is_of_a_mute_and_to_come(club):
    owner, _, member, _, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}"
    place, now = f"{path}/members/{member.user_id}", datetime.now(UTC)
    later, before = [(now + timedelta(days=days)).isoformat() for days in (1, -1)]
    for body in ({"muted_until": later}, {"muted": False, "muted_until": later}, {"muted": None, "muted_until": later}):
        assert (await owner.do("PATCH", place, body)).status == 422, body
    told = await owner.do("PATCH", place, {"muted": True, "muted_until": before})
    assert (told.status, told.code) == (422, "messaging.member.mute_over")
    assert (await member.dialog(dialog_id))["me"]["status"] == "active"
    await owner.ok("PATCH", place, {"muted": True, "muted_until": later})
    assert await member.refused("POST", f"{path}/messages", text()) == "messaging.member.muted"


async def test_members_are_listed_to_members_and_bans_to_who_manages_them(world):
    owner, member, banned, stranger = [await world.person() for _ in range(4)]
    dialog_id = await world.group(owner, member, kind="channel", is_public=True, title="News")
    path = f"/v1/dialogs/{dialog_id}"
    sent = await owner.send(dialog_id)
    await owner.ok("PUT", f"{path}/bans/{banned.user_id}")
    assert len(await stranger.messages(dialog_id)) == 1
    for rest in ("members", "members?banned=true", f"messages/{sent['seq']}/seen-by"):
        answer = await stranger.do("GET", f"{path}/{rest}")
        assert (answer.status, answer.code) == (404, NOT_FOUND), rest
    assert set(await roles_of(member, dialog_id)) == {str(owner.user_id), str(member.user_id)}
    assert await member.refused("GET", f"{path}/members?banned=true") == NOT_ALLOWED
    found = (await owner.ok("GET", f"{path}/members?banned=true"))["items"]
    assert [each["user_id"] for each in found] == [str(banned.user_id)]
    await owner.ok("POST", f"{path}/close", {})
    assert len(await roles_of(member, dialog_id)) == 2


async def test_seen_by_is_past_blocks_and_only_of_what_the_viewer_sees(world):
    owner, friend, foe, hater, late = [await world.person() for _ in range(5)]
    dialog_id = await world.group(owner, friend, foe, hater)
    path = f"/v1/dialogs/{dialog_id}"
    sent = await owner.send(dialog_id)
    for person in (friend, foe, hater):
        await person.ok("PUT", f"{path}/read-cursor", {"read_seq": sent["seq"]})
    async with world.app.begin() as tx:
        await tx.people.set_block(owner.user_id, foe.user_id, 1, tx.now, active=True)
        await tx.people.set_block(hater.user_id, owner.user_id, 1, tx.now, active=True)
    seen = await owner.ok("GET", f"{path}/messages/{sent['seq']}/seen-by")
    assert (seen["read_count"], seen["delivered_count"]) == (1, 1)
    assert [each["user_id"] for each in seen["people"]] == [str(friend.user_id)]
    etag = (await owner.do("GET", path)).headers["ETag"]
    await owner.ok("PATCH", path, {"history_from": "join"}, headers={"If-Match": etag})
    await owner.ok("POST", f"{path}/members", {"user_ids": [str(late.user_id)]})
    for person, seq in ((late, sent["seq"]), (owner, sent["seq"] + 1), (owner, 1000)):
        answer = await person.do("GET", f"{path}/messages/{seq}/seen-by")
        assert (answer.status, answer.code) == (404, "messaging.message.not_found"), seq
    again = await owner.send(dialog_id)
    assert (await late.ok("GET", f"{path}/messages/{again['seq']}/seen-by"))["read_count"] == 0


@pytest.mark.parametrize(("kind", "most"), [("group", 1_000), ("channel", 200_000)])
async def test_a_dialog_takes_no_more_members_than_its_kind(world, kind, most):
    owner = await world.person()
    dialog_id = await world.group(owner, await world.person(), kind=kind)
    path = f"/v1/dialogs/{dialog_id}"
    etag = (await owner.do("GET", path)).headers["ETag"]
    answer = await owner.do("PATCH", path, {"members_max": most + 1}, headers={"If-Match": etag})
    assert answer.status == 422
    await owner.ok("PATCH", path, {"members_max": most}, headers={"If-Match": etag})
    assert (await owner.dialog(dialog_id))["members_max"] == most


async def test_who_may_not_mention_all_mentions_no_role_either(world):
    owner, member, guest = [await world.person() for _ in range(3)]
    dialog_id = await world.group(owner, member, guest)
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}/members/{guest.user_id}", {"role": "guest"})
    roles = {"mention_roles": ["owner", "admin", "moderator", "member", "guest"]}
    for mentions in ({"mention_all": True}, roles, {"mention_roles": ["owner"]}):
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "hey"}, **mentions}
        answer = await guest.do("POST", f"/v1/dialogs/{dialog_id}/messages", body)
        assert (answer.status, answer.code) == (403, "messaging.dialog.not_allowed"), mentions
    await guest.send(dialog_id, mention_user_ids=[str(owner.user_id)])
    sent = await member.send(dialog_id, **roles)
    async with world.app.database.read() as conn:
        mentions = await conn.fetchval(
            "SELECT mentions FROM message WHERE dialog_id = $1 AND seq = $2", uuid.UUID(dialog_id), sent["seq"]
        )
    assert mentions == ["@owner", "@admin", "@moderator", "@member", "@guest"]
