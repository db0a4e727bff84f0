"""Blocks, friends and privacy as auth tells them; reports."""

import uuid

from sampan.auth.v1.graph_pb2 import FriendshipStarted, UserPrivacyChanged, UserUnblocked
from testkit.wait import eventually


def text():
    return {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "x"}}


def unblock(one, other, version):
    return UserUnblocked(pair_id="p", blocker_id=str(one.user_id), blocked_id=str(other.user_id), version=version)


async def test_a_block_takes_effect_within_two_seconds_and_old_news_does_not_undo_it(world):
    one, other, *more = [await world.person() for _ in range(4)]
    dialog_id = await world.group(one, other, kind="direct")
    path = f"/v1/dialogs/{dialog_id}/messages"
    await world.block(one, one)  # the consumer is awake
    took = [await world.block(one, each, version=3) for each in (other, *more)]
    assert min(took) < 2, took

    async def refused():
        return (await other.do("POST", path, text())).code == "messaging.dialog.unavailable"

    assert await refused()
    await world.publish(unblock(one, other, 2))
    await world.block(other, other)  # the consumer is past it
    assert await refused()
    await world.publish(unblock(one, other, 4))

    async def open_again():
        return (await other.do("POST", path, text())).status == 201

    await eventually(open_again, timeout_s=15, what="unblocked")


async def test_only_friends_may_write_first_when_somebody_wants_it_so(world):
    shy, friend = [await world.person() for _ in range(2)]
    privacy = UserPrivacyChanged(
        user_id=str(shy.user_id),
        version=2,
        show_presence_to="friends",
        direct_messages_from="friends",
        read_receipts=False,
    )
    await world.publish(privacy)
    await world.publish(
        FriendshipStarted(pair_id="p", user_id=str(friend.user_id), friend_id=str(shy.user_id), version=1)
    )
    body = {"kind": "direct", "user_ids": [str(shy.user_id)]}

    async def strangers_refused():
        """Asked by another stranger each time: who was let in once has the dialog."""
        stranger = await world.person()
        return (await stranger.do("POST", "/v1/dialogs", body)).code == "messaging.dialog.unavailable"

    async def befriended():
        return (await friend.do("POST", "/v1/dialogs", body)).status == 201

    await eventually(strangers_refused, timeout_s=15, what="strangers may not write")
    await eventually(befriended, timeout_s=15, what="friends may write")
    assert await strangers_refused()


async def test_reports_go_to_moderators(world):
    one, other, stranger = [await world.person() for _ in range(3)]
    dialog_id = await world.group(one, other)
    sent = await other.send(dialog_id, "buy now")
    body = {"dialog_id": dialog_id, "seq": sent["seq"], "reason": "spam"}
    first = await one.ok("POST", "/v1/messages/reports", body)
    assert await one.ok("POST", "/v1/messages/reports", body) == first
    assert await stranger.refused("POST", "/v1/messages/reports", body) == "messaging.dialog.not_found"
    assert await one.refused("POST", "/v1/messages/reports", {**body, "seq": 1}) == "messaging.message.not_found"
    assert (await one.do("GET", "/v1/ops/messaging/reports")).status == 403
    moderator = world.issuer.token_for(uuid.uuid4(), roles=["user", "moderator"])
    found = (await world.call("GET", "/v1/ops/messaging/reports", token=moderator)).json["items"]
    mine = next(each for each in found if each["report_id"] == first["report_id"])
    assert mine["user_id"] == str(other.user_id)
    path = f"/v1/ops/messaging/reports/{first['report_id']}/decision"
    assert (await world.call("POST", path, {"status": "upheld"}, token=moderator)).status == 204
    assert (await world.call("POST", path, {"status": "dismissed"}, token=moderator)).status == 404


async def test_who_is_blocked_reaches_the_other_by_no_act(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other, kind="direct")
    shared = await world.group(one, other)
    poll = {"type": "poll", "question": "Where?", "options": ["here", "there"]}
    asked = await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", {**text(), "content": poll})
    path = f"/v1/dialogs/{dialog_id}/messages"
    written = [(one, await one.send(dialog_id)), (other, await other.send(dialog_id))]
    in_group = await one.send(shared)
    async with world.app.begin() as tx:
        await tx.people.set_block(one.user_id, other.user_id, 1, tx.now, active=True)
    for person, own in written:
        for method, rest, body in (
            ("PATCH", str(own["seq"]), {"content": {"type": "text", "text": "still here"}}),
            ("PUT", f"{asked['seq']}/reactions/👍", None),
            ("PUT", f"{asked['seq']}/pin", None),
            ("PUT", f"{asked['seq']}/vote", {"options": [0]}),
        ):
            answer = await person.do(method, f"{path}/{rest}", body)
            assert (answer.status, answer.code) == (403, "messaging.dialog.unavailable"), (method, rest)
        await person.ok("DELETE", f"{path}/{own['seq']}")
    await other.ok("PUT", f"/v1/dialogs/{shared}/messages/{in_group['seq']}/reactions/👍")
