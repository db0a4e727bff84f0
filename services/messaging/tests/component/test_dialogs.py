"""Members, roles, invites, bans, settings: who may do what, and that nothing is seen after membership ends."""

import asyncio
import uuid

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


async def test_roles_act_downwards_only(club):
    owner, admin, member, _, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}/members"
    assert await member.refused("PATCH", f"{path}/{admin.user_id}", {"role": "guest"}) == NOT_ALLOWED
    assert await admin.refused("PATCH", f"{path}/{owner.user_id}", {"role": "member"}) == "messaging.member.owner_stays"
    assert await admin.refused("PATCH", f"{path}/{member.user_id}", {"role": "admin"}) == NOT_ALLOWED
    assert await admin.refused("DELETE", f"{path}/{owner.user_id}") == NOT_ALLOWED
    assert await member.refused("PATCH", f"{path}/{member.user_id}", {"role": "owner"}) == "request.body.invalid"
    await admin.ok("PATCH", f"{path}/{member.user_id}", {"role": "moderator"})
    assert (await roles_of(member, dialog_id))[str(member.user_id)] == "moderator"


async def test_ownership_is_handed_over_and_there_is_always_one_owner(club):
    owner, admin, member, _, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}"
    assert await owner.refused("DELETE", f"{path}/members/{owner.user_id}") == "messaging.member.owner_stays"
    assert await admin.refused("PUT", f"{path}/owner", {"user_id": str(admin.user_id)}) == NOT_ALLOWED
    await owner.ok("PUT", f"{path}/owner", {"user_id": str(member.user_id)})
    roles = await roles_of(owner, dialog_id)
    assert [each for each, role in roles.items() if role == "owner"] == [str(member.user_id)]
    await owner.ok("DELETE", f"{path}/members/{owner.user_id}")
    assert await owner.refused("GET", path) == NOT_FOUND


async def test_nothing_is_read_or_written_after_the_end(club):
    owner, _, member, _, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}"
    await owner.send(dialog_id, "before")
    await owner.ok("DELETE", f"{path}/members/{member.user_id}")
    await owner.send(dialog_id, "after")
    for method, rest, body in (
        ("GET", "", None),
        ("GET", "/messages", None),
        ("GET", "/members", None),
        ("GET", "/pins", None),
        ("POST", "/messages", text()),
        ("PUT", "/read-cursor", {"read_seq": 1}),
        ("PUT", "/draft", {"text": "x"}),
    ):
        assert await member.refused(method, path + rest, body) == NOT_FOUND
    news = await member.ok("POST", "/v1/sync", {"dialogs": {dialog_id: 1}})
    assert news["gone"] == [dialog_id]
    assert news["dialogs"] == []
    assert [each["type"] for each in news["account_events"]][-1] == "dialog.removed"
    # Back again by the owner's hand: history is open from the start, as this dialog has it.
    await owner.ok("POST", f"{path}/members", {"user_ids": [str(member.user_id)]})
    assert [each["content"]["text"] for each in await member.messages(dialog_id)] == ["before", "after"]
    assert (await member.dialog(dialog_id))["me"]["unread"] == 0


async def test_history_from_join(world):
    owner, late = await world.person(), await world.person()
    dialog_id = await world.group(owner, await world.person())
    etag = (await owner.do("GET", f"/v1/dialogs/{dialog_id}")).headers["ETag"]
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"history_from": "join"}, headers={"If-Match": etag})
    secret = await owner.send(dialog_id, "before")
    await owner.ok("POST", f"/v1/dialogs/{dialog_id}/members", {"user_ids": [str(late.user_id)]})
    await owner.send(dialog_id, "after")
    assert [each["content"]["text"] for each in await late.messages(dialog_id)] == ["after"]
    path = f"/v1/dialogs/{dialog_id}/messages/{secret['seq']}"
    assert await late.refused("GET", path) == "messaging.message.not_found"
    assert await late.refused("PUT", f"{path}/reactions/👍") == "messaging.message.not_found"
    news = await late.ok("POST", "/v1/sync", {"dialogs": {dialog_id: 0}})
    assert "before" not in str(news)


async def test_mute_slow_mode_and_closing(club):
    owner, _, member, _, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}"
    await owner.ok("PATCH", f"{path}/members/{member.user_id}", {"muted": True})
    assert await member.refused("POST", f"{path}/messages", text()) == "messaging.member.muted"
    await owner.ok("PATCH", f"{path}/members/{member.user_id}", {"muted": False})
    etag = (await owner.do("GET", path)).headers["ETag"]
    await owner.ok("PATCH", path, {"slow_mode_s": 600}, headers={"If-Match": etag})
    await member.send(dialog_id)
    answer = await member.do("POST", f"{path}/messages", text())
    assert (answer.status, answer.code) == (429, "messaging.dialog.slow_mode")
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    both = await asyncio.gather(*(owner.send(dialog_id) for _ in range(2)))
    assert len(both) == 2
    await owner.ok("POST", f"{path}/close", {})
    assert await owner.refused("POST", f"{path}/messages", text()) == "messaging.dialog.archived"
    await owner.ok("POST", f"{path}/reopen", {})
    await owner.send(dialog_id)


async def test_two_who_edit_at_once_do_not_overwrite_each_other(club):
    owner, admin, _, _, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}"
    etag = (await owner.do("GET", path)).headers["ETag"]
    await owner.ok("PATCH", path, {"title": "One"}, headers={"If-Match": etag})
    answer = await admin.do("PATCH", path, {"title": "Two"}, headers={"If-Match": etag})
    assert answer.status == 412
    assert (await admin.do("PATCH", path, {"title": "Two"})).status == 412
    assert (await owner.dialog(dialog_id))["title"] == "One"


@pytest.mark.parametrize(
    "name",
    [
        "title",
        "description",
        "is_public",
        "history_from",
        "join_approval",
        "slow_mode_s",
        "members_max",
        "content_published",
        "permissions",
    ],
)
async def test_a_setting_that_has_no_nothing_cannot_be_null(club, name):
    owner, dialog_id = club[0], club[-1]
    path = f"/v1/dialogs/{dialog_id}"
    etag = (await owner.do("GET", path)).headers["ETag"]
    answer = await owner.do("PATCH", path, {name: None}, headers={"If-Match": etag})
    assert (answer.status, answer.code) == (422, "request.body.invalid"), answer.content
    assert f"/{name}" in str(answer.json)


async def test_null_is_no_picture_and_kept_for_good(club):
    owner, dialog_id = club[0], club[-1]
    path = f"/v1/dialogs/{dialog_id}"
    for settings in ({"retention_days": 30}, {"retention_days": None, "avatar_attachment_id": None}):
        etag = (await owner.do("GET", path)).headers["ETag"]
        await owner.ok("PATCH", path, settings, headers={"If-Match": etag})
    shown = await owner.dialog(dialog_id)
    assert (shown["retention_days"], shown["avatar_attachment_id"]) == (None, None)


async def test_permissions_of_a_role_can_be_narrowed(club):
    owner, _, member, _, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}"
    etag = (await owner.do("GET", path)).headers["ETag"]
    await owner.ok("PATCH", path, {"permissions": {"member": ["react"]}}, headers={"If-Match": etag})
    assert await member.refused("POST", f"{path}/messages", text()) == NOT_ALLOWED
    sent = await owner.send(dialog_id)
    await member.ok("PUT", f"{path}/messages/{sent['seq']}/reactions/👍")
    assert await member.refused("PUT", f"{path}/messages/{sent['seq']}/pin") == NOT_ALLOWED


async def test_an_invite_is_never_used_more_often_than_it_says(world):
    owner = await world.person()
    dialog_id = await world.group(owner, await world.person())
    made = await owner.ok("POST", f"/v1/dialogs/{dialog_id}/invites", {"uses_max": 3})
    people = [await world.person() for _ in range(10)]
    answers = await asyncio.gather(*(each.do("POST", "/v1/dialogs/join", {"token": made["token"]}) for each in people))
    assert sorted(each.status for each in answers) == [200] * 3 + [404] * 7
    assert (await owner.dialog(dialog_id))["member_count"] == 5
    [listed] = (await owner.ok("GET", f"/v1/dialogs/{dialog_id}/invites"))["items"]
    assert (listed["uses"], "token" in listed) == (3, False)
    # Who is in is in, and using the link again costs nothing.
    inside = next(each for each, answer in zip(people, answers, strict=True) if answer.status == 200)
    assert await inside.refused("POST", "/v1/dialogs/join", {"token": made["token"]}) == "messaging.invite.invalid"


async def test_invites_are_revoked_and_forged_ones_are_nothing(club, world):
    owner, _, _, stranger, dialog_id = club
    made = await owner.ok("POST", f"/v1/dialogs/{dialog_id}/invites", {})
    await owner.ok("DELETE", f"/v1/dialogs/{dialog_id}/invites/{made['invite_id']}")
    for token in (made["token"], "A" * 24):
        assert await stranger.refused("POST", "/v1/dialogs/join", {"token": token}) == "messaging.invite.invalid"
    assert await stranger.refused("POST", f"/v1/dialogs/{dialog_id}/join", {}) == NOT_FOUND


async def test_somebody_has_to_agree(club):
    owner, _, member, stranger, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}"
    etag = (await owner.do("GET", path)).headers["ETag"]
    await owner.ok("PATCH", path, {"join_approval": True, "is_public": True}, headers={"If-Match": etag})
    assert (await stranger.ok("POST", f"{path}/join", {"message": "please"}))["outcome"] == "requested"
    assert await stranger.refused("GET", path) == NOT_FOUND
    assert await member.refused("GET", f"{path}/join-requests") == NOT_ALLOWED
    [asked] = (await owner.ok("GET", f"{path}/join-requests"))["items"]
    assert (asked["user_id"], asked["message"]) == (str(stranger.user_id), "please")
    await owner.ok("POST", f"{path}/join-requests/{stranger.user_id}/approve", {})
    await owner.ok("POST", f"{path}/join-requests/{stranger.user_id}/approve", {})
    assert (await stranger.dialog(dialog_id))["me"]["role"] == "member"
    assert (await owner.dialog(dialog_id))["member_count"] == 4


async def agreeing(owner, dialog_id):
    """Somebody has to agree from now on."""
    path = f"/v1/dialogs/{dialog_id}"
    etag = (await owner.do("GET", path)).headers["ETag"]
    await owner.ok("PATCH", path, {"join_approval": True, "is_public": True}, headers={"If-Match": etag})
    return path


async def test_one_who_asks_again_does_not_use_an_invite_up(club, world):
    owner, _, _, stranger, dialog_id = club
    path = await agreeing(owner, dialog_id)
    made = await owner.ok("POST", f"{path}/invites", {"uses_max": 2})

    async def ask(person):
        return (await person.ok("POST", "/v1/dialogs/join", {"token": made["token"]}))["outcome"]

    assert [await ask(stranger) for _ in range(3)] == ["requested"] * 3
    await owner.ok("POST", f"{path}/join-requests/{stranger.user_id}/decline", {})
    assert await ask(stranger) == "requested"
    [listed] = (await owner.ok("GET", f"{path}/invites"))["items"]
    assert listed["uses"] == 1
    assert await ask(await world.person()) == "requested"
    late = await world.person()
    assert await late.refused("POST", "/v1/dialogs/join", {"token": made["token"]}) == "messaging.invite.invalid"


async def test_who_is_declined_stays_out_until_they_ask_again(club):
    owner, _, _, stranger, dialog_id = club
    path = await agreeing(owner, dialog_id)
    request = f"{path}/join-requests/{stranger.user_id}"
    await stranger.ok("POST", f"{path}/join", {})
    await owner.ok("POST", f"{request}/decline", {})
    await owner.ok("POST", f"{request}/decline", {})
    assert (await owner.ok("GET", f"{path}/join-requests"))["items"] == []
    assert await owner.refused("POST", f"{request}/approve", {}) == "messaging.join_request.not_found"
    assert await stranger.refused("GET", path) == NOT_FOUND
    await stranger.ok("POST", f"{path}/join", {})
    await owner.ok("POST", f"{request}/approve", {})
    assert (await stranger.dialog(dialog_id))["me"]["role"] == "member"
    assert await owner.refused("POST", f"{request}/decline", {}) == "messaging.join_request.not_found"
    # Who has left is not brought back by the agreement of then.
    await stranger.ok("DELETE", f"{path}/members/{stranger.user_id}")
    await owner.ok("POST", f"{request}/approve", {})
    assert await stranger.refused("GET", path) == NOT_FOUND
    assert (await owner.dialog(dialog_id))["member_count"] == 3


async def test_who_came_in_otherwise_does_not_wait_to_be_let_in(club, world):
    owner, _, _, added, dialog_id = club
    path, opened = await agreeing(owner, dialog_id), await world.person()
    older = await world.person()
    for person in (added, opened, older):
        assert (await person.ok("POST", f"{path}/join", {}))["outcome"] == "requested"
    await owner.ok("POST", f"{path}/members", {"user_ids": [str(added.user_id)]})
    await owner.ok("PATCH", path, {"join_approval": False}, headers={"If-Match": "*"})
    assert (await opened.ok("POST", f"{path}/join", {}))["outcome"] == "joined"
    waiting = (await owner.ok("GET", f"{path}/join-requests"))["items"]
    assert [each["user_id"] for each in waiting] == [str(older.user_id)]
    for person in (added, opened):
        request = f"{path}/join-requests/{person.user_id}"
        assert await owner.refused("POST", f"{request}/decline", {}) == "messaging.join_request.not_found"
    # What an older version left waiting of somebody who is in is not shown.
    async with world.app.database.begin() as conn:
        await conn.execute("UPDATE join_request SET status = 'pending' WHERE user_id = $1", added.user_id)
    assert len((await owner.ok("GET", f"{path}/join-requests"))["items"]) == 1
    # Put out again, they have asked for nothing.
    await owner.ok("DELETE", f"{path}/members/{opened.user_id}")
    assert len((await owner.ok("GET", f"{path}/join-requests"))["items"]) == 1


async def test_a_request_of_somebody_banned_can_be_declined(club):
    owner, _, _, stranger, dialog_id = club
    path = await agreeing(owner, dialog_id)
    await stranger.ok("POST", f"{path}/join", {})
    await owner.ok("PUT", f"{path}/bans/{stranger.user_id}")
    request = f"{path}/join-requests/{stranger.user_id}"
    assert await owner.refused("POST", f"{request}/approve", {}) == "messaging.member.banned"
    await owner.ok("POST", f"{request}/decline", {})
    assert (await owner.ok("GET", f"{path}/join-requests"))["items"] == []


async def test_a_ban_holds_against_every_way_in(club):
    owner, _, member, stranger, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}"
    token = (await owner.ok("POST", f"{path}/invites", {}))["token"]
    for banned in (member, stranger):
        await owner.ok("PUT", f"{path}/bans/{banned.user_id}")
        assert await banned.refused("POST", "/v1/dialogs/join", {"token": token}) == "messaging.member.banned"
        body = {"user_ids": [str(banned.user_id)]}
        assert await owner.refused("POST", f"{path}/members", body) == "messaging.dialog.people_unknown"
    assert await member.refused("GET", path) == NOT_FOUND
    banned = {each["user_id"] for each in (await owner.ok("GET", f"{path}/members?banned=true"))["items"]}
    assert banned == {str(member.user_id), str(stranger.user_id)}
    await owner.ok("DELETE", f"{path}/bans/{member.user_id}")
    assert (await member.ok("POST", "/v1/dialogs/join", {"token": token}))["outcome"] == "joined"
    assert (await owner.dialog(dialog_id))["member_count"] == 3


async def test_a_dialog_is_never_fuller_than_it_may_be(world):
    owner = await world.person()
    dialog_id = await world.group(owner, await world.person())
    etag = (await owner.do("GET", f"/v1/dialogs/{dialog_id}")).headers["ETag"]
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"members_max": 4}, headers={"If-Match": etag})
    token = (await owner.ok("POST", f"/v1/dialogs/{dialog_id}/invites", {}))["token"]
    people = [await world.person() for _ in range(8)]
    answers = await asyncio.gather(*(each.do("POST", "/v1/dialogs/join", {"token": token}) for each in people))
    assert sorted(each.status for each in answers) == [200] * 2 + [409] * 6


async def test_own_settings_are_ones_own(club):
    owner, _, member, _, dialog_id = club
    path = f"/v1/dialogs/{dialog_id}/settings"
    await member.ok("PATCH", path, {"pinned": True, "archived": True, "notification_level": "mentions"})
    me = (await member.dialog(dialog_id))["me"]
    assert me["pinned_at"]
    assert me["archived_at"]
    assert me["notification_level"] == "mentions"
    assert (await owner.dialog(dialog_id))["me"]["pinned_at"] is None
    assert dialog_id not in [each["dialog_id"] for each in (await member.ok("GET", "/v1/dialogs"))["items"]]
    archived = (await member.ok("GET", "/v1/dialogs?archived=true"))["items"]
    assert [each["dialog_id"] for each in archived] == [dialog_id]


async def test_seen_by_comes_from_cursors_and_honours_privacy(club, world):
    owner, admin, member, _, dialog_id = club
    sent = await owner.send(dialog_id)
    path = f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}/seen-by"
    await admin.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": sent["seq"]})
    await member.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"delivered_seq": sent["seq"]})
    seen = await owner.ok("GET", path)
    assert (seen["read_count"], seen["delivered_count"]) == (1, 2)
    assert [each["user_id"] for each in seen["people"]] == [str(admin.user_id)]
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET read_receipts = false WHERE user_id = $1", admin.user_id)
    seen = await owner.ok("GET", path)
    assert (seen["read_count"], seen["delivered_count"], seen["people"]) == (0, 1, [])


async def test_the_list_pages_without_doubles(world):
    me = await world.person()
    made = [await world.group(me, await world.person()) for _ in range(7)]
    found, cursor = [], None
    while True:
        page = await me.ok("GET", "/v1/dialogs?limit=3" + (f"&cursor={cursor}" if cursor else ""))
        found += [each["dialog_id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == list(reversed(made))


async def test_a_cursor_is_of_one_filter_and_refused_with_another(world):
    me = await world.person()
    for _ in range(2):
        await world.group(me, await world.person())
    for mine, others in (("", ("&archived=true", "&kind=group")), ("&kind=group", ("", "&kind=direct"))):
        cursor = (await me.ok("GET", f"/v1/dialogs?limit=1{mine}"))["next_cursor"]
        assert len((await me.ok("GET", f"/v1/dialogs?limit=1{mine}&cursor={cursor}"))["items"]) == 1
        for other in others:
            refused = await me.refused("GET", f"/v1/dialogs?limit=1{other}&cursor={cursor}", None)
            assert refused == "cursor_invalid"


async def test_direct_messages_only_from_friends(world):
    shy, stranger, friend = [await world.person() for _ in range(3)]
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET direct_from = 'friends' WHERE user_id = $1", shy.user_id)
        await tx.conn.execute("INSERT INTO friendship VALUES ($1, $2, 1, true)", shy.user_id, friend.user_id)
    body = {"kind": "direct", "user_ids": [str(shy.user_id)]}
    assert await stranger.refused("POST", "/v1/dialogs", body) == "messaging.dialog.unavailable"
    assert (await friend.do("POST", "/v1/dialogs", body)).status == 201


async def test_who_is_in_a_dialog_is_told_that_its_texts_are_published(world):
    owner, member = await world.person(), await world.person()
    dialog_id = await world.group(owner, member)
    assert (await member.dialog(dialog_id))["content_published"] is False
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"content_published": True}, headers={"If-Match": "*"})
    assert (await member.dialog(dialog_id))["content_published"] is True


async def test_who_opens_a_dialog_of_two_says_no_name_for_it(world):
    one, other = await world.person(), await world.person()
    body = {"kind": "direct", "user_ids": [str(other.user_id)]}
    for name in ("title", "description"):
        answer = await one.do("POST", "/v1/dialogs", {**body, name: "Sampan Support"})
        assert (answer.status, answer.code) == (422, "messaging.dialog.pair_untitled")
        assert answer.json["errors"][0]["pointer"] == f"/{name}" if "errors" in answer.json else True
    for kind in ("bot", "business"):
        named = {"kind": kind, "user_ids": [], "title": "Sampan Support"}
        assert await one.refused("POST", "/v1/dialogs", named) == "messaging.dialog.pair_untitled"
    await one.ok("POST", "/v1/dialogs", body)


async def test_only_somebody_who_is_or_was_in_a_dialog_is_reported_in_it(world):
    one, other, stranger = [await world.person() for _ in range(3)]
    dialog_id = await world.group(one, other)
    body = {"dialog_id": dialog_id, "reason": "spam"}
    for nobody in (str(stranger.user_id), str(uuid.uuid4())):
        refused = await one.refused("POST", "/v1/messages/reports", {**body, "user_id": nobody})
        assert refused == "messaging.member.not_found"
    await other.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{other.user_id}")
    await one.ok("POST", "/v1/messages/reports", {**body, "user_id": str(other.user_id)})
