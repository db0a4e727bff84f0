"""What is wrong is told by a code, ends at most its own connection, and writes nothing."""

import asyncio
import json
import os
import uuid

import aiohttp
import pytest

from chatclient import ChatClient
from testkit.forged import forgeries
from testkit.wait import eventually

MASKED_TEXT = 0x81


async def wire(world, *, headers=""):
    """A TCP connection past its handshake, for bytes no client library would send."""
    host, port = world.call.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET /v1/realtime HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n".encode()
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 15)
    assert b" 101 " in head
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    return reader, writer


def frame(payload, *, first=MASKED_TEXT, masked=True):
    size = len(payload)
    mask = os.urandom(4) if masked else b""
    bit = 0x80 if masked else 0
    head = bytes([first]) + (
        bytes([bit | size])
        if size < 126
        else bytes([bit | 126]) + size.to_bytes(2)
        if size < 65536
        else bytes([bit | 127]) + size.to_bytes(8)
    )
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if masked else payload
    return head + mask + body


async def close_code_of(reader):
    """The code of the close frame, skipping what came before it."""
    async with asyncio.timeout(15):
        while True:
            first, second = await reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(await reader.readexactly(2))
            payload = await reader.readexactly(size)
            if first & 0x0F == 8:
                return int.from_bytes(payload[:2])


async def changes(world):
    async with world.app.database.read() as conn:
        return await conn.fetchval("SELECT coalesce(sum(last_seq), 0) FROM dialog")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(b"hello", masked=False), 1002),
        (frame(b"hello", first=0xC1), 1002),
        (frame(b"\x00\x01", first=0x82), 4400),
        (frame(b'{"type":"\xff\xfe"}'), 4400),
        (frame(b"{"), 4400),
        (frame(b"[]"), 4400),
        (frame(b'{"a":' * 500 + b"1" + b"}" * 500), 4400),
        (frame(b"x" * 70_000), 4413),
        (b"\x81\xff" + (2**40).to_bytes(8), 4413),
        (frame(b'{"type":"ping"}'), 4401),
        (frame(b'{"type":"dance"}'), 4401),
        (frame(b'{"type":"auth"}'), 4401),
        (frame(b'{"type":"auth","ticket":"made up"}'), 4401),
    ],
)
async def test_what_comes_before_auth_ends_the_connection_with_a_code(world, sent, code):
    before = await changes(world)
    reader, writer = await wire(world)
    writer.write(sent)
    assert await close_code_of(reader) == code
    writer.close()
    assert await changes(world) == before


async def test_a_forged_token_is_not_taken(world, sockets):
    forged = forgeries(world.issuer, uuid.uuid4())
    for name in (
        "alg 'none' without signature",
        "another key under the true kid",
        "expired long ago",
        "claims exchanged",
    ):
        socket = await sockets.raw()
        await socket.say("auth", token=forged[name][:4096])
        assert (await socket.until("error"))["code"].startswith("auth.token."), name
        assert await socket.close_code() == 4401


async def test_who_says_nothing_is_closed_in_time(world, sockets, node_of):
    async with node_of(realtime_auth_timeout_s=0.5) as node:
        socket = await sockets.raw(base_url=node.base_url)
        assert await socket.close_code(timeout_s=8) == 4408  # it is 10 s unless told


async def test_a_foreign_page_may_not_connect(world, sockets, node_of):
    for origin in ("https://evil.example", "null", "http://127.0.0.1", "http://[x", "http://[::1", "http://[]"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await sockets.raw(headers={"Origin": origin})
        assert refused.value.status == 403
    await sockets.raw(headers={"Origin": world.call.base_url})
    async with node_of(realtime_origins="https://app.example, https://two.example") as node:
        await sockets.raw(base_url=node.base_url, headers={"Origin": "https://two.example"})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 426),
        ({"Upgrade": "websocket"}, 426),
        ({"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "8"}, 426),
        ({"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}, 400),
        (
            {
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "c2hvcnQ=",
            },
            400,
        ),
    ],
)
async def test_what_is_no_handshake_is_answered_by_http(world, headers, status):
    answer = await world.call("GET", "/v1/realtime", headers=headers)
    assert answer.status == status
    assert answer.json["code"]


async def test_a_frame_that_is_wrong_is_answered_and_the_connection_goes_on(world, sockets, message):
    nok, other = await world.person(), await world.person()
    dialog_id = await world.group(nok, other)
    foreign = await world.group(other, await world.person())
    before = await changes(world)
    socket = await sockets.of(nok)
    wrong = [
        ("dance", {}, "messaging.realtime.frame_unknown"),
        ("send", {"dialog_id": dialog_id}, "request.body.invalid"),
        ("send", {"dialog_id": dialog_id, **message("x" * 8_001)}, "request.body.invalid"),
        ("send", {"dialog_id": dialog_id, **message("a\u202eb")}, "request.body.invalid"),
        ("send", {"dialog_id": foreign, **message()}, "messaging.dialog.not_found"),
        ("send", {"dialog_id": str(uuid.uuid4()), **message()}, "messaging.dialog.not_found"),
        (
            "send",
            {"dialog_id": dialog_id, **message(), "mention_user_ids": [str(uuid.uuid4()) for _ in range(1000)]},
            "request.body.invalid",
        ),
        (
            "send",
            {"dialog_id": dialog_id, **message(), "reply_to_seq": 9_999},
            "messaging.message.reply_target_missing",
        ),
        ("typing", {"dialog_id": foreign}, "messaging.realtime.not_watched"),
        ("ack", {"dialog_id": dialog_id, "read_seq": 2**60}, "request.body.invalid"),
        ("resume", {"dialogs": {"x": 1}}, "request.body.invalid"),
        ("presence.watch", {"user_ids": [str(uuid.uuid4()) for _ in range(201)]}, "request.body.invalid"),
    ]
    for number, (kind, body, code) in enumerate(wrong):
        await socket.say(kind, ref=f"w{number}", **body)
        assert (await socket.until("error", ref=f"w{number}"))["code"] == code, (kind, body)
    await socket.say("ack", dialog_id=foreign, read_seq=1)
    await socket.say("ping", ref="alive")
    await socket.until("pong", ref="alive")
    assert await changes(world) == before


async def test_who_goes_on_being_wrong_is_closed(world, sockets):
    socket = await sockets.of(await world.person())
    for _ in range(25):
        await socket.say("dance")
    assert await socket.close_code() == 4400


async def test_an_ack_from_the_future_reads_up_to_now(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    sent = await nok.send(dialog_id)
    socket = await sockets.of(ari)
    await socket.say("ack", dialog_id=dialog_id, read_seq=1_000_000)
    told = await socket.until("read.changed")
    assert told["read_seq"] == sent["seq"]


async def test_a_flood_is_refused_then_ended_and_others_go_on(world, sockets, node_of):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    async with node_of(realtime_frames_per_s=1.0, realtime_frames_burst=20) as node:
        flooding = await sockets.of(nok, base_url=node.base_url)
        calm = await sockets.of(ari, base_url=node.base_url)
        for _ in range(60):
            await flooding.ws.send_str(json.dumps({"type": "ping"}))
        assert (await flooding.until("error"))["code"] == "messaging.realtime.frames_limited"
        assert await flooding.close_code() == 4429
        assert sum(each["type"] == "error" for each in flooding.frames) <= 3
        sent = await nok.send(dialog_id)
        await calm.reaches(dialog_id, sent["seq"])


async def test_a_client_that_says_too_much_at_once_is_heard_in_the_end(world, node_of):
    nok = await world.person()
    dialog_id = await world.group(nok, await world.person())
    async with (
        node_of(realtime_frames_per_s=50.0, realtime_frames_burst=20) as node,
        ChatClient(node.base_url, nok.token) as chat,
    ):
        await chat.live()
        async with asyncio.timeout(20):
            sent = await asyncio.gather(*(chat.send_text(dialog_id, f"{number}") for number in range(35)))
        assert chat.connections == 1
    assert len({each.seq for each in sent}) == 35
    assert len(await nok.messages(dialog_id, limit=100)) == 35


async def test_the_eleventh_connection_replaces_the_first(world, sockets, node_of):
    nok = await world.person()
    async with node_of(realtime_connections_per_user=3) as node:
        opened = [await sockets.of(nok, base_url=node.base_url) for _ in range(4)]
        assert await opened[0].close_code() == 4409
        for socket in opened[1:]:
            await socket.say("ping", ref="still")
            await socket.until("pong", ref="still")


async def test_a_full_node_says_so(world, sockets, node_of):
    async with node_of(realtime_connections_max=1) as node:
        await sockets.raw(base_url=node.base_url)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await sockets.raw(base_url=node.base_url)
        assert refused.value.status == 503
        assert refused.value.headers["Retry-After"]


async def test_frames_after_auth_wait_for_it_but_not_without_end(world):
    reader, writer = await wire(world)
    nok = await world.person()
    auth = json.dumps({"type": "auth", "token": nok.token}).encode()
    writer.write(frame(auth) + frame(b'{"type":"ping","ref":"early"}'))
    seen = b""
    async with asyncio.timeout(15):
        while b"early" not in seen:
            seen += await reader.read(4096)
    assert seen.index(b'"ready"') < seen.index(b'"pong"')
    writer.close()
    reader, writer = await wire(world)
    writer.write(frame(auth) + frame(b'{"type":"ping"}') * 40)
    assert await close_code_of(reader) == 4429
    writer.close()


async def test_sockets_that_are_gone_leave_nothing_behind(world, sockets):
    dialogs, accounts = world.app.dialog_streams.feeds, world.app.account_streams.feeds
    nok, ari = await world.person(), await world.person()
    dialog_id = uuid.UUID(await world.group(nok, ari))
    socket = await sockets.of(nok)
    assert dialog_id in dialogs
    socket.ws._response.connection.transport.abort()
    await eventually(lambda: dialog_id not in dialogs and nok.user_id not in accounts)
