"""A socket: who it is, what it hears, what it sends."""

import asyncio
import uuid


async def test_a_message_reaches_everybody_who_is_there(world, sockets):
    nok, ari, budi = [await world.person() for _ in range(3)]
    dialog_id = await world.group(nok, ari, budi)
    theirs = [await sockets.of(each) for each in (nok, ari, budi)]
    sent = await nok.send(dialog_id, "sawasdee")
    for socket in theirs:
        frame = await socket.until("message.new", seq=sent["seq"])
        assert frame["message"]["content"]["text"] == "sawasdee"
        assert frame["dialog_id"] == dialog_id


async def test_ready_says_who_and_where(world, sockets):
    nok = await world.person()
    socket = await sockets.raw()
    await socket.say("auth", token=nok.token, ref="a1")
    ready = await socket.until("ready")
    assert ready["user_id"] == str(nok.user_id)
    assert ready["ref"] == "a1"
    assert ready["heartbeat_s"] == 25
    assert ready["account_seq"] == 0
    assert 0 < ready["expires_in_s"] <= 900
    assert ready["node"]
    assert uuid.UUID(ready["session_id"])


async def test_a_ticket_opens_one_connection(world, sockets):
    nok = await world.person()
    made = await nok.ok("POST", "/v1/realtime/tickets", key="")
    first, second = await sockets.raw(), await sockets.raw()
    await first.say("auth", ticket=made["ticket"])
    assert (await first.until("ready"))["user_id"] == str(nok.user_id)
    await second.say("auth", ticket=made["ticket"])
    assert (await second.until("error"))["code"] == "messaging.realtime.ticket_invalid"
    assert await second.close_code() == 4401


async def test_a_message_sent_by_socket_is_answered_and_told(world, sockets, message):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    mine, theirs = await sockets.of(nok), await sockets.of(ari)
    body = message("by socket")
    await mine.say("send", ref="r1", dialog_id=dialog_id, **body)
    sent = await mine.until("sent", ref="r1")
    assert sent["replayed"] is False
    assert (await theirs.until("message.new", seq=sent["seq"]))["message"]["content"]["text"] == "by socket"
    await mine.say("send", ref="r2", dialog_id=dialog_id, **body)
    again = await mine.until("sent", ref="r2")
    assert (again["seq"], again["replayed"]) == (sent["seq"], True)
    await mine.say("send", ref="r3", dialog_id=dialog_id, **{**body, "content": {"type": "text", "text": "other"}})
    refused = await mine.until("error", ref="r3")
    assert refused["code"] == "messaging.message.client_message_id_reused"


async def test_messages_of_one_socket_keep_their_order(world, sockets, message):
    nok = await world.person()
    dialog_id = await world.group(nok, await world.person())
    socket = await sockets.of(nok)
    for number in range(40):
        await socket.say("send", ref=f"r{number}", dialog_id=dialog_id, **message(str(number)))
    seqs = [(await socket.until("sent", ref=f"r{number}"))["seq"] for number in range(40)]
    assert seqs == list(range(seqs[0], seqs[0] + 40))


async def test_resume_gives_what_was_missed_then_what_is_new(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    last = (await ari.dialog(dialog_id))["last_seq"]
    for number in range(30):
        await nok.send(dialog_id, f"missed {number}")
    socket = await sockets.of(ari, resume={"dialogs": {dialog_id: last}, "account_seq": 0})
    await socket.until("resumed")
    sent = await nok.send(dialog_id, "live")
    assert await socket.reaches(dialog_id, sent["seq"]) == list(range(last + 1, sent["seq"] + 1))
    added = await socket.until("dialog.added")
    assert (added["account_seq"], added["dialog_id"]) == (1, dialog_id)


async def test_resume_while_others_write_has_no_gap_and_no_double(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    last = (await ari.dialog(dialog_id))["last_seq"]
    for number in range(250):
        await nok.send(dialog_id, f"before {number}")

    async def write() -> int:
        for number in range(60):
            sent = await nok.send(dialog_id, f"during {number}")
        return sent["seq"]

    writing = asyncio.create_task(write())
    readers = [
        await sockets.of(ari, resume={"dialogs": {dialog_id: last + offset}}) for offset in (0, 50, 120, 249, 0, 200)
    ]
    end = await writing
    for socket, offset in zip(readers, (0, 50, 120, 249, 0, 200), strict=True):
        assert await socket.reaches(dialog_id, end) == list(range(last + offset + 1, end + 1))


async def test_resume_frame_starts_again_from_its_position(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    socket = await sockets.of(ari)
    sent = await nok.send(dialog_id)
    await socket.reaches(dialog_id, sent["seq"])
    before = len(socket.frames)
    await socket.say("resume", ref="again", dialogs={dialog_id: 0})
    await socket.until("resumed", ref="again")
    again = [each["seq"] for each in socket.frames[before:] if "seq" in each]
    assert again == list(range(1, sent["seq"] + 1))


async def test_positions_from_the_future_are_too_old(world, sockets):
    nok = await world.person()
    dialog_id = await world.group(nok, await world.person())
    socket = await sockets.of(nok, resume={"dialogs": {dialog_id: 9_999}, "account_seq": 9_999})
    told = await socket.until("too_old", dialog_id=dialog_id)
    assert (told["oldest_seq"], told["last_seq"]) == (1, 2)
    await socket.until("resumed")
    sent = await nok.send(dialog_id)
    assert await socket.reaches(dialog_id, sent["seq"]) == [sent["seq"]]


async def test_what_is_not_kept_is_too_old(world, sockets):
    nok = await world.person()
    dialog_id = await world.group(nok, await world.person())
    for _ in range(5):
        sent = await nok.send(dialog_id)
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE dialog SET oldest_seq = 5 WHERE dialog_id = $1", uuid.UUID(dialog_id))
    socket = await sockets.of(nok, resume={"dialogs": {dialog_id: 1}})
    told = await socket.until("too_old")
    assert (told["oldest_seq"], told["last_seq"]) == (5, sent["seq"])
    inside = await sockets.of(nok, resume={"dialogs": {dialog_id: 4}})
    await inside.until("resumed")
    assert inside.seqs(dialog_id) == list(range(5, sent["seq"] + 1))


async def test_a_stranger_hears_nothing(world, sockets):
    nok, stranger = await world.person(), await world.person()
    dialog_id = await world.group(nok, await world.person())
    socket = await sockets.of(stranger, resume={"dialogs": {dialog_id: 0}})
    assert (await socket.until("gone"))["dialog_id"] == dialog_id
    await socket.say("subscribe", ref="s", dialog_ids=[dialog_id])
    told = await socket.until("subscribed")
    assert (told["dialogs"], told["refused"]) == ({}, [dialog_id])
    await nok.send(dialog_id)
    own = await world.group(stranger, nok)
    sent = await stranger.send(own)
    await socket.until("dialog.added", dialog_id=own)
    await socket.say("resume", dialogs={own: 0})
    await socket.reaches(own, sent["seq"])
    assert socket.seqs(dialog_id) == []


async def test_a_new_dialog_is_watched_from_the_moment_it_is_known(world, sockets):
    nok, ari = await world.person(), await world.person()
    socket = await sockets.of(ari)
    dialog_id = await world.group(nok, ari)
    await socket.until("dialog.added", dialog_id=dialog_id)
    await socket.say("resume", ref="r", dialogs={dialog_id: 0})
    await socket.until("resumed", ref="r")
    sent = await nok.send(dialog_id)
    assert await socket.reaches(dialog_id, sent["seq"]) == list(range(1, sent["seq"] + 1))


async def test_ping_and_renewed_token(world, sockets):
    nok, other = await world.person(), await world.person()
    socket = await sockets.of(nok)
    await socket.say("ping", ref="p")
    assert (await socket.until("pong"))["ref"] == "p"
    await socket.say("auth", token=world.issuer.token_for(nok.user_id), ref="again")
    await socket.until("ready", ref="again")
    await socket.say("auth", token=other.token, ref="other")
    assert (await socket.until("error", ref="other"))["code"] == "messaging.realtime.other_person"
    assert await socket.close_code() == 4403


async def test_what_follows_a_forward_is_stored_after_it(world, sockets, message):
    nok, ari = await world.person(), await world.person()
    origin, dialog_id = await world.group(nok, ari), await world.group(nok, ari)
    seq = (await ari.send(origin, "look at this"))["seq"]
    socket = await sockets.of(nok)
    for number in range(3):
        forward = {"client_message_id": str(uuid.uuid4()), "forward_from": {"dialog_id": origin, "seq": seq}}
        await socket.say("send", ref=f"f{number}", dialog_id=dialog_id, **forward)
        await socket.say("send", ref=f"c{number}", dialog_id=dialog_id, **message(f"comment {number}"))
    stored = [(await socket.until("sent", ref=f"{kind}{number}"))["seq"] for number in range(3) for kind in "fc"]
    assert stored == sorted(stored)
