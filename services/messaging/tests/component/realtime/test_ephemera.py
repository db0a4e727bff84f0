"""What is not stored: typing, receipts, counts, presence."""

import asyncio
import math
import time

import pytest

from sampan.auth.v1.graph_pb2 import (
    FriendshipEnded,
    FriendshipStarted,
    UserBlocked,
    UserPrivacyChanged,
    UserUnblocked,
)
from sampan.auth.v1.user_pb2 import UserDeleted
from testkit.wait import eventually


@pytest.fixture
def blocks(world):
    async def block(blocker, blocked, *, active=True):
        async with world.app.begin() as tx:
            await tx.conn.execute(
                "INSERT INTO block (blocker_id, blocked_id, version, active, changed_at) VALUES ($1, $2, 1, $3, now()) "
                "ON CONFLICT (blocker_id, blocked_id) DO UPDATE SET active = $3",
                blocker.user_id,
                blocked.user_id,
                active,
            )

    return block


async def flushed(*sockets):
    """Everything that was written to these before now is here."""
    for socket in sockets:
        await socket.say("ping", ref="flushed")
        await socket.until("pong", ref="flushed")


def kinds(socket):
    return [each["type"] for each in socket.frames]


async def test_typing_is_told_on_every_node_and_to_nobody_blocked(world, sockets, node_of, heard_by, blocks):
    nok, ari, foe = [await world.person() for _ in range(3)]
    dialog_id = await world.group(nok, ari, foe)
    await blocks(foe, nok)
    async with node_of() as node:
        mine = await sockets.of(nok)
        here, there, blocked = (
            await sockets.of(ari),
            await sockets.of(ari, base_url=node.base_url),
            await sockets.of(foe),
        )
        await heard_by(2, dialog_id)
        await mine.say("typing", dialog_id=dialog_id)
        for socket in (here, there):
            told = await socket.until("typing")
            assert told == {
                "type": "typing",
                "dialog_id": dialog_id,
                "user_id": str(nok.user_id),
                "expires_in_s": 6,
            }
        await flushed(mine, blocked)
        assert "typing" not in kinds(mine)
        assert "typing" not in kinds(blocked)


async def test_typing_is_limited(world, sockets, monkeypatch):
    monkeypatch.setattr("messaging.live.entrypoints.frames.TYPING_EVERY_S", 20.0)
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    mine, theirs = await sockets.of(nok), await sockets.of(ari)
    for _ in range(20):
        await mine.say("typing", dialog_id=dialog_id)
    await theirs.until("typing")
    await flushed(mine, theirs)
    assert kinds(theirs).count("typing") == 1


async def test_receipts_and_counts(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    for _ in range(3):
        sent = await nok.send(dialog_id)
    mine, theirs, their_other = await sockets.of(nok), await sockets.of(ari), await sockets.of(ari)
    await theirs.say("ack", dialog_id=dialog_id, delivered_seq=sent["seq"])
    told = await mine.until("receipt")
    assert (told["user_id"], told["delivered_seq"], told["read_seq"]) == (str(ari.user_id), sent["seq"], 0)
    await theirs.say("ack", dialog_id=dialog_id, read_seq=sent["seq"] - 1)
    assert (await mine.until("receipt", read_seq=sent["seq"] - 1))["dialog_id"] == dialog_id
    counted = await their_other.until("unread")
    assert (counted["unread"], counted["mentions"], counted["read_seq"]) == (1, 0, sent["seq"] - 1)
    changed = await their_other.until("read.changed")
    assert changed["read_seq"] == sent["seq"] - 1


async def test_a_receipt_of_who_came_back_speaks_of_their_present_stay_and_agrees_with_seen_by(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    path = f"/v1/dialogs/{dialog_id}"
    mine = await sockets.of(nok)
    read = (await nok.send(dialog_id))["seq"]
    await ari.ok("PUT", f"{path}/read-cursor", {"read_seq": read})
    first = await mine.until("receipt", read_seq=read)
    await ari.ok("DELETE", f"{path}/members/{ari.user_id}")
    missed = (await nok.send(dialog_id))["seq"]
    await nok.ok("POST", f"{path}/members", {"user_ids": [str(ari.user_id)]})
    last = (await nok.send(dialog_id))["seq"]
    await ari.ok("PUT", f"{path}/read-cursor", {"read_seq": last})
    second = await mine.until("receipt", read_seq=last)

    def told_of(seq):
        return any(each["from_seq"] <= seq <= each["read_seq"] for each in (first, second))

    for seq in (read, missed, last):
        seen = await nok.ok("GET", f"{path}/messages/{seq}/seen-by")
        assert (seen["read_count"] == 1) == told_of(seq) == (seq != missed)


async def test_who_hides_their_reading_tells_only_what_arrived(world, sockets, blocks):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET read_receipts = false WHERE user_id = $1", ari.user_id)
    sent = await nok.send(dialog_id)
    mine, theirs = await sockets.of(nok), await sockets.of(ari)
    await theirs.say("ack", dialog_id=dialog_id, delivered_seq=sent["seq"])
    told = await mine.until("receipt")
    await theirs.say("ack", dialog_id=dialog_id, read_seq=sent["seq"])
    await theirs.until("unread", read_seq=sent["seq"])
    assert told["delivered_seq"] == sent["seq"]
    assert "read_seq" not in told
    await blocks(nok, ari)
    again = await nok.send(dialog_id)
    await theirs.say("ack", dialog_id=dialog_id, read_seq=again["seq"])
    await theirs.until("unread", read_seq=again["seq"])
    await flushed(mine)
    assert kinds(mine).count("receipt") == 1


async def test_presence_is_told_to_those_who_look(world, sockets, node_of):
    nok, ari, other = [await world.person() for _ in range(3)]
    async with node_of() as node:
        looking, not_looking = await sockets.of(nok), await sockets.of(other)
        await looking.say("presence.watch", user_ids=[str(ari.user_id)])
        first = await looking.until("presence")
        assert (first["user_id"], first["online"]) == (str(ari.user_id), False)
        there = await sockets.of(ari, base_url=node.base_url)
        await looking.until("presence", online=True)
        await there.ws.close()
        gone = await looking.until("presence", online=False, after=looking.frames.index(first) + 1, timeout_s=20)
        assert gone["last_seen_at"]
        assert "presence" not in kinds(not_looking)


@pytest.mark.parametrize("allowed", ["nobody", "friends"])
async def test_presence_that_is_hidden_looks_like_absence(world, sockets, allowed):
    nok, ari = await world.person(), await world.person()
    async with world.app.begin() as tx:
        await tx.conn.execute(
            "UPDATE account SET presence_to = $2, last_seen_to = $2, last_seen_at = now() WHERE user_id = $1",
            ari.user_id,
            allowed,
        )
    await sockets.of(ari)
    looking = await sockets.of(nok)
    await looking.say("presence.watch", user_ids=[str(ari.user_id)])
    told = await looking.until("presence")
    assert told == {"type": "presence", "user_id": str(ari.user_id), "online": False}


async def test_friends_see_what_friends_may_see_until_one_blocks(world, sockets, blocks):
    nok, ari = await world.person(), await world.person()
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET presence_to = 'friends' WHERE user_id = $1", ari.user_id)
        await tx.conn.execute(
            "INSERT INTO friendship (user_id, friend_id, version, active) VALUES ($1, $2, 1, true)",
            ari.user_id,
            nok.user_id,
        )
    await sockets.of(ari)
    looking = await sockets.of(nok)
    await looking.say("presence.watch", user_ids=[str(ari.user_id)])
    await looking.until("presence", online=True)
    await blocks(ari, nok)
    before = len(looking.frames)
    await looking.say("presence.watch", user_ids=[str(ari.user_id)])
    assert (await looking.until("presence", after=before))["online"] is False


def block(kind, blocker, blocked, version):
    return kind(pair_id="p", blocker_id=str(blocker.user_id), blocked_id=str(blocked.user_id), version=version)


async def test_blocks_and_wishes_reach_who_looks_within_two_seconds(world, sockets):
    nok, ari, third = [await world.person() for _ in range(3)]
    await sockets.of(ari)
    looking, beside, looked_at = await sockets.of(nok), await sockets.of(third), await sockets.of(nok)
    await looking.say("presence.watch", user_ids=[str(ari.user_id)])
    await beside.say("presence.watch", user_ids=[str(ari.user_id)])
    await looking.until("presence", online=True)
    await beside.until("presence", online=True)
    await world.block(third, third)  # the consumer is awake

    def wish(version, presence):
        return UserPrivacyChanged(
            user_id=str(ari.user_id),
            version=version,
            show_presence_to=presence,
            direct_messages_from="everyone",
            read_receipts=True,
        )

    friends = {"pair_id": "p", "user_id": str(ari.user_id), "friend_id": str(nok.user_id)}

    def changes(first, second):
        """With these versions. After the last all is as it was."""
        return (
            (block(UserBlocked, ari, nok, first), False),
            (block(UserUnblocked, ari, nok, second), True),
            (block(UserBlocked, nok, ari, first), False),
            (block(UserUnblocked, nok, ari, second), True),
            (wish(first, "friends"), False),
            (FriendshipStarted(**friends, version=first), True),
            (FriendshipEnded(**friends, version=second), False),
            (wish(second, "everyone"), True),
        )

    rounds, quickest = 0, [math.inf] * 8
    while rounds < 3 and max(quickest) > 2:
        rounds += 1
        for number, (record, online) in enumerate(changes(2 * rounds, 2 * rounds + 1)):
            before, began = len(looking.frames), time.monotonic()
            await world.publish(record)
            told = await looking.until("presence", after=before)
            quickest[number] = min(quickest[number], time.monotonic() - began)
            assert told == {"type": "presence", "user_id": str(ari.user_id), "online": online}, record
    assert max(quickest) <= 2, quickest
    # Of the blocks nobody else hears; of the respect_privacy everybody who looks.
    await flushed(beside, looked_at)
    assert [each["online"] for each in beside.frames if each["type"] == "presence"] == [True, *[False, True] * rounds]
    assert "presence" not in kinds(looked_at)


async def test_who_has_ended_is_seen_by_nobody_whatever_connection_is_left(world, sockets):
    """The session's end closes the socket; presence does not wait for that, nor tell when they were here last."""
    nok, ari = [await world.person() for _ in range(2)]
    await sockets.of(ari)
    looking = await sockets.of(nok)
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET last_seen_at = now() WHERE user_id = $1", ari.user_id)
    await looking.say("presence.watch", user_ids=[str(ari.user_id)])
    await looking.until("presence", online=True)
    before = len(looking.frames)
    await world.publish(UserDeleted(user_id=str(ari.user_id)))
    told = await looking.until("presence", after=before, timeout_s=20)
    assert told == {"type": "presence", "user_id": str(ari.user_id), "online": False}
    before = len(looking.frames)
    await looking.say("presence.watch", user_ids=[str(ari.user_id)])
    assert (await looking.until("presence", after=before)) == told


async def test_sends_new_dialogs_and_receipts_end_within_two_seconds_of_a_block(world, sockets, message):
    nok, foe, stranger, another, friend = [await world.person() for _ in range(5)]
    dialog_id = await world.group(nok, foe, kind="direct")
    shared = await world.group(nok, foe, friend)
    sent = await nok.send(shared)
    mine = await sockets.of(nok)
    await world.block(friend, friend)  # the consumer is awake
    took = [await world.block(nok, each) for each in (foe, stranger, another)]
    assert min(took) <= 2, took
    unavailable = "messaging.dialog.unavailable"
    assert await foe.refused("POST", f"/v1/dialogs/{dialog_id}/messages", message()) == unavailable
    body = {"kind": "direct", "user_ids": [str(nok.user_id)]}
    assert await stranger.refused("POST", "/v1/dialogs", body) == unavailable
    await foe.ok("PUT", f"/v1/dialogs/{shared}/read-cursor", {"read_seq": sent["seq"]})
    await friend.ok("PUT", f"/v1/dialogs/{shared}/read-cursor", {"read_seq": sent["seq"]})
    await mine.until("receipt", user_id=str(friend.user_id))
    await flushed(mine)
    assert [each["user_id"] for each in mine.frames if each["type"] == "receipt"] == [str(friend.user_id)]
    seen = await nok.ok("GET", f"/v1/dialogs/{shared}/messages/{sent['seq']}/seen-by")
    assert [each["user_id"] for each in seen["people"]] == [str(friend.user_id)]


async def test_who_does_not_tell_how_far_they_read_makes_no_frame_by_reading(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari, kind="direct")
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET read_receipts = false WHERE user_id = $1", ari.user_id)
    watching, own = await sockets.of(nok), await sockets.of(ari)
    first, second = [(await nok.send(dialog_id))["seq"] for _ in range(2)]
    path = f"/v1/dialogs/{dialog_id}/read-cursor"
    await ari.ok("PUT", path, {"read_seq": first})
    assert (await own.until("unread", read_seq=first))["unread"] == 1
    await ari.ok("PUT", path, {"delivered_seq": second})
    told = await watching.until("receipt")
    assert (told["delivered_seq"], "read_seq" in told) == (second, False)
    await ari.ok("PUT", path, {"read_seq": second})
    await own.until("unread", read_seq=second)
    await flushed(watching)
    assert kinds(watching).count("receipt") == 1


async def test_what_one_deletes_for_oneself_changes_the_count_of_ones_devices_and_is_told_to_nobody(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    watching, own = await sockets.of(nok), await sockets.of(ari)
    hidden = (await nok.send(dialog_id, "you", mention_user_ids=[str(ari.user_id)]))["seq"]
    await nok.send(dialog_id)
    await own.until("message.new", seq=hidden + 1)
    await ari.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{hidden}?whom=me")
    told = await own.until("unread")
    me = (await ari.dialog(dialog_id))["me"]
    assert (told["unread"], told["mentions"], told["read_seq"]) == (me["unread"], 0, me["read_seq"])
    assert me["unread"] == 1
    await flushed(watching)
    assert "receipt" not in kinds(watching)


async def hide_reading(world, person):
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET read_receipts = false WHERE user_id = $1", person.user_id)


async def test_what_was_read_while_it_was_not_told_makes_no_frame_later(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    told, untold, later = [(await nok.send(dialog_id))["seq"] for _ in range(3)]
    path = f"/v1/dialogs/{dialog_id}/read-cursor"
    watching = await sockets.of(nok)
    await ari.ok("PUT", path, {"read_seq": told})
    await watching.until("receipt", read_seq=told)
    await hide_reading(world, ari)
    await ari.ok("PUT", path, {"read_seq": untold})
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET read_receipts = true WHERE user_id = $1", ari.user_id)
    await ari.ok("PUT", path, {"read_seq": untold, "delivered_seq": untold})
    await watching.until("receipt", delivered_seq=untold)
    await ari.ok("PUT", path, {"read_seq": later})
    await watching.until("receipt", read_seq=later)
    assert receipts(watching.frames) == [(told, told), (untold, None), (later, later)]


def receipts(frames):
    return [(each["delivered_seq"], each.get("read_seq")) for each in frames if each["type"] == "receipt"]


async def test_who_does_not_tell_is_not_told_how_far_others_read(world, sockets, node_of, heard_by):
    nok, ari, open_one = [await world.person() for _ in range(3)]
    dialog_id = await world.group(nok, ari, open_one)
    await hide_reading(world, nok)
    first, second, third = [(await nok.send(dialog_id))["seq"] for _ in range(3)]
    async with node_of() as node:
        shown, here, there = (
            await sockets.of(open_one),
            await sockets.of(nok),
            await sockets.of(nok, base_url=node.base_url),
        )
        await heard_by(2, dialog_id)
        path = f"/v1/dialogs/{dialog_id}/read-cursor"
        await ari.ok("PUT", path, {"read_seq": first})
        await shown.until("receipt", read_seq=first)
        await ari.ok("PUT", path, {"delivered_seq": second, "read_seq": third})
        await shown.until("receipt", read_seq=third)
        await ari.ok("PUT", path, {"delivered_seq": third})
        for socket in (here, there):
            await socket.until("receipt", delivered_seq=third)
        await flushed(shown, here, there)
    assert receipts(shown.frames) == [(first, first), (third, third)]
    assert receipts(here.frames) == receipts(there.frames) == [(second, None), (third, None)]


async def test_a_long_poll_shows_no_more_than_a_socket(world, sockets):
    """Of reading; the frame that ends the wait of both is one that both are shown."""
    nok, ari, open_one = [await world.person() for _ in range(3)]
    dialog_id = await world.group(nok, ari, open_one)
    await hide_reading(world, nok)
    first, second = [(await nok.send(dialog_id))["seq"] for _ in range(2)]
    node, path = world.node, f"/v1/dialogs/{dialog_id}/read-cursor"
    body = {"dialogs": {dialog_id: second}, "wait_s": 8}
    before = len(node.polls)
    polling = asyncio.create_task(nok.ok("POST", "/v1/realtime/poll", body, key=""))
    await eventually(lambda: len(node.polls) > before)
    beside = await sockets.of(open_one)
    await ari.ok("PUT", path, {"read_seq": first})
    await beside.until("receipt", read_seq=first)
    await ari.ok("PUT", path, {"delivered_seq": second})
    assert receipts((await polling)["frames"]) == [(second, None)]


async def test_who_watches_a_public_channel_without_being_in_it_hears_no_receipts_and_no_typing(
    world, sockets, node_of, heard_by
):
    nok, ari, guest = [await world.person() for _ in range(3)]
    dialog_id = await world.group(nok, ari, kind="channel", is_public=True, title="News")
    sent = await nok.send(dialog_id)
    async with node_of() as node:
        mine, member = await sockets.of(nok), await sockets.of(ari)
        here, there = await sockets.of(guest), await sockets.of(guest, base_url=node.base_url)
        for socket in (here, there):
            await socket.say("subscribe", dialog_ids=[dialog_id])
            assert (await socket.until("subscribed"))["refused"] == []
        await heard_by(2, dialog_id)
        await mine.say("typing", dialog_id=dialog_id)
        await member.until("typing")
        await ari.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": sent["seq"]})
        await mine.until("receipt", read_seq=sent["seq"])
        # What comes after it on the same way is here: so would it be.
        later = await nok.send(dialog_id)
        for socket in (here, there):
            await socket.reaches(dialog_id, later["seq"])
        await flushed(here, there)
    for socket in (here, there):
        assert not {"typing", "receipt"} & set(kinds(socket))
    # Who comes in hears them from then on, by the connections they have.
    await guest.ok("POST", f"/v1/dialogs/{dialog_id}/join", {})
    await here.until("dialog.added")
    await ari.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": later["seq"]})
    assert (await here.until("receipt"))["read_seq"] == later["seq"]
