"""Who may hear, and until when."""

import asyncio
import uuid

from chassis.tokens import Revocations
from messaging.core.domain.dialog import MemberStatus
from messaging.core.domain.permissions import Role
from messaging.core.usecases.admit_members import admit_members
from messaging.core.usecases.announce_member import announce_member
from testkit.wait import eventually


async def end(world, dialog_id, person, status=MemberStatus.REMOVED):
    """Somebody is taken out; the seq that says so."""
    async with world.app.begin() as tx:
        dialog = await tx.stream.lock(uuid.UUID(dialog_id))
        seq = announce_member(dialog, person.user_id, tx, role=Role.MEMBER, status=status, by=None)
        await tx.members.end_membership(dialog, person.user_id, status, seq=seq)
        tx.accounts.change(person.user_id, "dialog.removed", dialog_id=dialog.dialog_id)
    return seq


async def test_not_one_frame_after_the_removal(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    mine, theirs = await sockets.of(nok), [await sockets.of(ari) for _ in range(3)]
    writing = asyncio.Event()

    async def write():
        while not writing.is_set():
            sent = await nok.send(dialog_id)
        return sent["seq"]

    task = asyncio.create_task(write())
    await theirs[0].until("message.new")
    seq = await end(world, dialog_id, ari)
    for socket in theirs:
        await socket.reaches(dialog_id, seq)
    writing.set()
    last = await task
    await mine.reaches(dialog_id, max(last, seq))
    for socket in theirs:
        await socket.say("ping", ref="flushed")
        await socket.until("pong", ref="flushed")
        assert max(socket.seqs(dialog_id)) == seq
    late = await sockets.of(ari, resume={"dialogs": {dialog_id: 1}})
    await late.until("gone", dialog_id=dialog_id)
    await late.until("resumed")
    assert late.seqs(dialog_id) == []


async def test_the_same_on_a_node_that_hears_nothing(world, sockets, node_of):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    async with node_of(redis_url="redis://127.0.0.1:1/0") as deaf:
        socket = await sockets.of(ari, base_url=deaf.base_url)
        seq = await end(world, dialog_id, ari)
        for _ in range(20):
            await nok.send(dialog_id)
        assert await socket.reaches(dialog_id, seq) == [seq]
        own = await world.group(ari, nok)
        await socket.until("dialog.added", dialog_id=own)
        assert max(socket.seqs(dialog_id)) == seq


async def test_one_who_comes_back_hears_again(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    socket = await sockets.of(ari)
    await end(world, dialog_id, ari, MemberStatus.LEFT)
    async with world.app.begin() as tx:
        dialog = await tx.stream.lock(uuid.UUID(dialog_id))
        await admit_members([(dialog, [(ari.user_id, Role.MEMBER)])], None, tx)
    before = len(socket.frames)
    await socket.until("dialog.added", dialog_id=dialog_id)
    await socket.say("resume", ref="back", dialogs={dialog_id: 0})
    await socket.until("resumed", ref="back")
    sent = await nok.send(dialog_id)
    await socket.until("message.new", after=before, seq=sent["seq"])
    resumed = [each["seq"] for each in socket.frames[before:] if each.get("dialog_id") == dialog_id and "seq" in each]
    assert resumed[-sent["seq"] :] == list(range(1, sent["seq"] + 1))


async def test_a_session_that_is_signed_out_is_closed_within_two_seconds(world, sockets):
    nok = await world.person()
    other, took = await sockets.of(nok), []
    for _ in range(3):
        session_id = uuid.uuid4()
        token = world.issuer.token_for(nok.user_id, session_id=session_id)
        socket = await sockets.raw()
        await socket.say("auth", token=token)
        await socket.until("ready")
        begun = asyncio.get_running_loop().time()
        await Revocations.publish(world.app.redis, session_id, world.app.clock.now())
        assert await socket.close_code() == 4401
        took.append(asyncio.get_running_loop().time() - begun)
    assert min(took) <= 2.0, took
    await other.say("ping", ref="still")
    await other.until("pong", ref="still")
    again = await sockets.raw()
    await again.say("auth", token=token)
    assert (await again.until("error"))["code"] == "auth.token.revoked"


async def test_a_token_that_expires_ends_the_connection_unless_renewed(world, sockets):
    nok = await world.person()
    ends, stays = await sockets.raw(), await sockets.raw()
    token = world.issuer.token_for(nok.user_id, lifetime_s=6)
    for socket in (ends, stays):
        await socket.say("auth", token=token)
        await socket.until("ready")
        await socket.until("auth.expiring")
    await stays.say("auth", token=nok.token, ref="renewed")
    await stays.until("ready", ref="renewed")
    assert await ends.close_code() == 4401
    await stays.say("ping", ref="still")
    await stays.until("pong", ref="still")


async def test_a_silent_connection_is_dropped(world, sockets, node_of):
    nok = await world.person()
    async with node_of(realtime_heartbeat_s=2.0) as node:
        silent, beating = await sockets.of(nok, base_url=node.base_url), await sockets.of(nok, base_url=node.base_url)

        async def beat():
            await beating.say("ping")
            return silent.reading.done()

        await eventually(beat, timeout_s=20, every_s=0.2)
        assert silent.ws.close_code == 4410
        assert not beating.reading.done()


async def test_a_public_channel_is_watched_by_asking_until_it_closes(world, sockets):
    nok, guest = await world.person(), await world.person()
    dialog_id = await world.group(nok, kind="channel", is_public=True, title="News")
    socket = await sockets.of(guest)
    sent = await nok.send(dialog_id)
    await socket.say("subscribe", dialog_ids=[dialog_id])
    assert (await socket.until("subscribed"))["dialogs"] == {dialog_id: sent["seq"]}
    sent = await nok.send(dialog_id)
    assert await socket.reaches(dialog_id, sent["seq"]) == [sent["seq"]]
    async with world.app.begin() as tx:
        dialog = await tx.stream.lock(uuid.UUID(dialog_id))
        tx.stream.change(dialog, "dialog.changed", payload={"dialog": {"is_public": False}})
        await tx.conn.execute("UPDATE dialog SET is_public = false WHERE dialog_id = $1", dialog.dialog_id)
    await eventually(lambda: uuid.UUID(dialog_id) not in world.app.dialog_streams.feeds)


async def test_unsubscribing_ends_it(world, sockets):
    nok = await world.person()
    dialog_id = await world.group(nok, await world.person())
    socket = await sockets.of(nok)
    await socket.say("unsubscribe", ref="u", dialog_ids=[dialog_id])
    await socket.until("unsubscribed", ref="u")
    await nok.send(dialog_id)
    await socket.say("ping", ref="p")
    await socket.until("pong", ref="p")
    assert socket.seqs(dialog_id) == []


async def test_who_is_still_brought_to_a_channel_hears_nothing_after_it_is_shut(world, sockets):
    """A slow client: its replay stands at the first messages when the channel is shut."""
    nok, guest = await world.person(), await world.person()
    dialog_id = await world.group(nok, kind="channel", is_public=True, title="News")
    for _ in range(60):
        await nok.send(dialog_id, "long " * 1500)
    slow = await sockets.of(guest)
    transport = slow.ws._response.connection.transport
    transport.pause_reading()
    await slow.say("subscribe", dialog_ids=[dialog_id])
    await slow.say("resume", dialogs={dialog_id: 0})
    [feed] = await eventually(lambda: [each for each in world.app.dialog_streams.feeds.values() if each.has_joiners])
    await nok.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"is_public": False}, headers={"If-Match": "*"})
    later = (await nok.send(dialog_id, "for members"))["seq"]
    assert feed.has_joiners  # or this tries nothing
    transport.resume_reading()
    await slow.reaches(dialog_id, later - 1)
    await slow.say("ping")
    await slow.until("pong")
    assert later not in slow.seqs(dialog_id)
    await eventually(lambda: uuid.UUID(dialog_id) not in world.app.dialog_streams.feeds)
