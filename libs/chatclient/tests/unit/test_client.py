"""The client against a server that misbehaves on purpose."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from chatclient import ChatClient, ChatClosedError, RefusedError
from chatclient.backoff import Backoff

DIALOG = "d1"


class Server:
    """``script(number, ws, say)`` plays each connection, after its auth frame."""

    def __init__(self):
        self.auths = []
        self.heard = []
        self.script = None
        self.ticket_status = 201

    async def socket(self, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        auth = json.loads((await ws.receive()).data)
        self.auths.append(auth)

        async def say(kind, **body):
            await ws.send_str(json.dumps({"type": kind, **body}))

        await self.script(len(self.auths), ws, say)
        return ws

    async def ticket(self, request):
        if self.ticket_status != 201:
            return web.json_response({"code": "service.unavailable"}, status=self.ticket_status)
        return web.json_response({"ticket": "t-" + request.headers["Authorization"][-3:]}, status=201)


async def ready(say, **body):
    await say("ready", **{"heartbeat_s": 30, "account_seq": 0, **body})
    await say("resumed")


def message(seq):
    return {"dialog_id": DIALOG, "seq": seq, "message": {"seq": seq}}


@pytest.fixture
async def server():
    made = Server()
    app = web.Application()
    app.router.add_get("/v1/realtime", made.socket)
    app.router.add_post("/v1/realtime/tickets", made.ticket)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@asynccontextmanager
async def connected(server, **options):
    options = {"token": "abc", "backoff": Backoff(first_s=0.01, cap_s=0.02), **options}
    async with asyncio.timeout(15), ChatClient(server.url, options.pop("token"), **options) as chat:
        yield chat


async def take(events, count):
    return [(await events.next())["seq"] for _ in range(count)]


async def test_it_resumes_from_what_it_gave(server):
    async def script(number, ws, say):
        await ready(say)
        for seq in (1, 2, 3) if number == 1 else (3, 4, 4, 5):
            await say("message.new", **message(seq))
        if number == 1:
            await ws.close(code=1001)
            return
        await ws.receive()

    server.script = script
    async with connected(server, positions={DIALOG: 0}) as chat:
        with chat.reading(DIALOG) as events:
            assert await take(events, 5) == [1, 2, 3, 4, 5]
        assert server.auths[0]["resume"]["dialogs"] == {DIALOG: 0}
        assert server.auths[1]["resume"] == {"dialogs": {DIALOG: 3}, "account_seq": 0}
        assert server.auths[0]["ticket"] == "t-abc"
        assert chat.connections == 2


async def test_it_asks_for_what_is_missing(server):
    async def script(number, ws, say):
        await ready(say)
        for seq in (1, 4, 5):
            await say("message.new", **message(seq))
        asked = json.loads((await ws.receive()).data)
        server.heard.append(asked)
        for seq in (2, 3, 4, 5, 6):
            await say("message.new", **message(seq))
        await ws.receive()

    server.script = script
    async with connected(server, positions={DIALOG: 0}) as chat:
        with chat.reading(DIALOG) as events:
            assert await take(events, 6) == [1, 2, 3, 4, 5, 6]
    assert server.heard == [{"type": "resume", "dialogs": {DIALOG: 1}}]


async def test_an_unanswered_message_is_said_again_under_the_same_id(server):
    async def script(number, ws, say):
        await ready(say)
        sent = json.loads((await ws.receive()).data)
        server.heard.append(sent["client_message_id"])
        if number < 3:
            await ws.close(code=1013)
            return
        await say("sent", ref=sent["ref"], dialog_id=DIALOG, client_message_id=sent["ref"], seq=9, at="", replayed=True)
        await ws.receive()

    server.script = script
    async with connected(server) as chat:
        sent = await chat.send_text(DIALOG, "hello")
    assert (sent.seq, sent.replayed) == (9, True)
    assert server.heard == [sent.client_message_id] * 3


async def test_a_refusal_is_raised_and_a_busy_server_asked_again(server):
    async def script(number, ws, say):
        await ready(say)
        first = json.loads((await ws.receive()).data)
        await say("error", ref=first["ref"], code="messaging.message.busy", retry_after_s=0.01)
        again = json.loads((await ws.receive()).data)
        assert again == first
        await say("error", ref=first["ref"], code="messaging.dialog.not_found", detail="no")
        await ws.receive()

    server.script = script
    async with connected(server) as chat:
        with pytest.raises(RefusedError) as refused:
            await chat.send_text(DIALOG, "hello")
    assert refused.value.code == "messaging.dialog.not_found"


async def test_messages_dropped_by_a_limit_that_names_none_are_said_again(server):
    """A server that is told too much at once says so once, of no message in particular, and drops what else comes."""
    told_too_much, dropped = 5, []

    async def script(number, ws, say):
        await ready(say)
        async for said in ws:
            sent = json.loads(said.data)
            if len(dropped) < told_too_much + 3:
                if not dropped:
                    await say("error", code="messaging.realtime.frames_limited", retry_after_s=0.005)
                dropped.append(sent["client_message_id"])
                continue
            rest = {"dialog_id": DIALOG, "client_message_id": sent["ref"], "seq": 1, "at": "", "replayed": False}
            await say("sent", ref=sent["ref"], **rest)

    server.script = script
    async with connected(server) as chat:
        await chat.live()
        await asyncio.gather(*(chat.send_text(DIALOG, f"{number}") for number in range(told_too_much)))
        assert chat.connections == 1
    assert len(set(dropped)) == told_too_much


@pytest.mark.parametrize("code", [4400, 4403, 4409])
async def test_some_codes_end_it(server, code):
    async def script(number, ws, say):
        await ready(say)
        await ws.close(code=code)

    server.script = script
    async with connected(server) as chat:
        with chat.reading() as events, pytest.raises(ChatClosedError) as ended:
            await events.next()
        assert ended.value.code == code
        with pytest.raises(ChatClosedError):
            await chat.send_text(DIALOG, "too late")


async def test_refused_tokens_end_it_after_fresh_ones(server):
    tokens = []

    async def token():
        tokens.append(f"token-{len(tokens)}")
        return tokens[-1]

    async def script(number, ws, say):
        await say("error", code="auth.token.expired")
        await ws.close(code=4401)

    server.script, server.ticket_status = script, 503
    async with connected(server, token=token) as chat:
        with chat.reading() as events:
            assert (await events.next())["code"] == "auth.token.expired"
        with pytest.raises(ChatClosedError):
            await chat.live()
    assert [each["token"] for each in server.auths] == tokens
    assert len(tokens) == 3


async def test_a_token_that_expires_is_renewed_on_the_same_connection(server):
    async def script(number, ws, say):
        await ready(say)
        await say("auth.expiring", expires_in_s=20)
        server.heard.append(json.loads((await ws.receive()).data))
        await say("ready", heartbeat_s=30, account_seq=5)
        await say("message.new", **message(1))
        await ws.receive()

    server.script = script
    async with connected(server) as chat:
        with chat.reading(DIALOG) as events:
            assert await take(events, 1) == [1]
        assert chat.connections == 1
    assert server.heard == [{"type": "auth", "token": "abc"}]


async def test_too_old_goes_on_after_the_gap(server):
    async def script(number, ws, say):
        await ready(say)
        await say("too_old", dialog_id=DIALOG, oldest_seq=50, last_seq=60)
        await say("message.new", **message(61))
        await ws.receive()

    server.script = script
    async with connected(server, positions={DIALOG: 3}) as chat:
        with chat.reading(DIALOG) as events:
            assert (await events.next())["type"] == "too_old"
            assert await take(events, 1) == [61]
        assert chat.positions == {DIALOG: 61}


async def test_bye_says_when_to_come_back(server):
    times = []

    async def script(number, ws, say):
        times.append(asyncio.get_running_loop().time())
        await ready(say)
        if number == 1:
            await say("bye", code=1001, retry_after_s=0.3)
            await ws.close(code=1001)
            return
        await say("message.new", **message(1))
        await ws.receive()

    server.script = script
    async with connected(server) as chat:
        with chat.reading(DIALOG) as events:
            await take(events, 1)
    assert 0.25 < times[1] - times[0] < 10


async def test_a_silent_server_is_left(server):
    async def script(number, ws, say):
        await ready(say, heartbeat_s=0.05 if number == 1 else 30)
        if number == 1:
            async for _ in ws:
                pass
        else:
            await say("message.new", **message(1))
            await ws.receive()

    server.script = script
    async with connected(server) as chat:
        with chat.reading(DIALOG) as events:
            assert await take(events, 1) == [1]
        assert chat.connections == 2


async def test_a_token_source_that_fails_ends_it_for_whoever_waits(server):
    async def token():
        raise LookupError("the keychain is locked")

    async with connected(server, token=token) as chat:
        with pytest.raises(ChatClosedError, match="the keychain is locked"):
            await chat.send_text(DIALOG, "hello")


async def test_a_server_that_is_not_there_is_tried_again(server):
    async with aiohttp.ClientSession() as session, connected(server, session=session) as chat:
        server.script = refuse_then_ready
        await chat.live()
        assert chat.connections == 1
        assert len(server.auths) == 3


async def refuse_then_ready(number, ws, say):
    if number < 3:
        await ws.close(code=1012)
        return
    await ready(say)
    await ws.receive()


def test_waits_grow_and_never_agree():
    backoff = Backoff(first_s=1, cap_s=8)
    waits = [[backoff.next_s() for _ in range(6)] for _ in range(50)]
    assert all(0 <= each <= 8 for row in waits for each in row)
    assert max(row[0] for row in waits[:1]) <= 1
    assert len({row[3] for row in waits}) == 50
    backoff.reset()
    assert backoff.next_s() <= 1
