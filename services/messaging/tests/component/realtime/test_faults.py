"""Redis cut and healed, a node killed, a reader that stops: slower at worst, never lost, never twice."""

import asyncio
import contextlib
import random
import signal
import socket as sockets_of_the_machine
import time
import uuid
from urllib.parse import urlsplit, urlunsplit

import pytest

from chatclient import ChatClient
from chatclient.backoff import Backoff
from testkit.ports import free_ports
from testkit.processes import Child
from testkit.wait import eventually

pytestmark = pytest.mark.fault


class Cable:
    """A TCP proxy that can be cut: connections break and new ones are refused."""

    def __init__(self, host, port):
        self._target = host, port
        self._writers = set()
        self._whole = True
        self.port = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.cut()
        self._server.close()

    def cut(self):
        self._whole = False
        for writer in self._writers:
            writer.transport.abort()

    def heal(self):
        self._whole = True

    async def _serve(self, reader, writer):
        if not self._whole:
            writer.transport.abort()
            return
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection(*self._target)
            self._writers |= {writer, back}
            await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        self._writers.discard(writer)

    async def _copy(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def cable_to(redis_url):
    parts = urlsplit(redis_url)
    async with Cable(parts.hostname, parts.port) as cable:
        credentials = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        yield cable, urlunsplit(parts._replace(netloc=f"{credentials}127.0.0.1:{cable.port}"))


async def looks_at_nothing():
    """Instead of a poller's look: what comes was told."""


async def test_two_nodes_one_cut_off_from_redis_then_healed(
    world, sockets, node_of, *, heard_by, redis_url, monkeypatch
):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    last = (await ari.dialog(dialog_id))["last_seq"]
    async with cable_to(redis_url) as (cable, url), node_of(redis_url=url) as node:
        channels, poller = node.app.channels, node.node._poller
        near, far = await sockets.of(ari), await sockets.of(ari, base_url=node.base_url)
        await heard_by(2, dialog_id)
        with monkeypatch.context() as blind:
            blind.setattr(poller, "look", looks_at_nothing)
            sent = await nok.send(dialog_id, "whole")
            await far.reaches(dialog_id, sent["seq"])
        cable.cut()
        await eventually(lambda: not channels.connected)
        took = []
        for _ in range(3):
            for _ in range(10):
                sent = await nok.send(dialog_id, "cut")
            begun = time.monotonic()
            await far.reaches(dialog_id, sent["seq"])
            took.append(time.monotonic() - begun)
        assert min(took) < 2, took
        await far.say("send", ref="r", dialog_id=dialog_id, client_message_id=str(uuid.uuid4()), content=text("deaf"))
        sent = await far.until("sent")
        await near.reaches(dialog_id, sent["seq"])
        cable.heal()
        await eventually(lambda: channels.connected)
        sent = await nok.send(dialog_id, "healed")
        for reader in (near, far):
            assert await reader.reaches(dialog_id, sent["seq"]) == list(range(last + 1, sent["seq"] + 1))


def text(words):
    return {"type": "text", "text": words}


@contextlib.asynccontextmanager
async def node_process(world, tmp_path, name, **extra):
    """A node as a process of its own, to be killed. ``extra``: of its environment."""
    port, ops_port = free_ports(2)
    settings = world.settings.model_dump(exclude_none=True) | {"http_port": port, "ops_port": ops_port}
    plain = {
        key: value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for key, value in settings.items()
    }
    environment = {f"MESSAGING_{key.upper()}": str(value) for key, value in plain.items()} | extra
    async with Child("messaging", "http", environment=environment, log=tmp_path / name) as child:
        await child.ready(ops_port, timeout_s=60)
        yield child, f"http://127.0.0.1:{port}"


async def test_a_node_is_killed_and_its_clients_go_on_elsewhere(world, tmp_path):
    people = [await world.person() for _ in range(6)]
    dialog_id = await world.group(*people)
    last = (await people[0].dialog(dialog_id))["last_seq"]
    count, killed_after = 120, 40
    async with node_process(world, tmp_path, "victim") as (child, url), contextlib.AsyncExitStack() as stack:
        there = Address([url, world.call.base_url])
        chats = [
            await stack.enter_async_context(
                ChatClient(there, each.token, positions={dialog_id: last}, backoff=Backoff(first_s=0.05, cap_s=0.3))
            )
            for each in people
        ]
        readers = [stack.enter_context(chat.reading(dialog_id)) for chat in chats]
        for chat in chats:
            await chat.live()
        sent = []

        async def write(first):
            for number in range(first, count, len(chats)):
                sent.append(await chats[first].send_text(dialog_id, str(number)))  # noqa: PERF401 -- counted meanwhile

        writing = [asyncio.create_task(write(first)) for first in range(len(chats))]
        await eventually(lambda: len(sent) >= killed_after, timeout_s=30, every_s=0.001)
        assert len(sent) < count
        there.go_on()
        await child.kill()
        await asyncio.gather(*writing)
        assert len({each.seq for each in sent}) == count
        end = max(each.seq for each in sent)
        for reader in readers:
            got = []
            async with asyncio.timeout(30):
                while not got or got[-1]["seq"] < end:
                    got.append(await reader.next())
            assert [each["seq"] for each in got] == list(range(last + 1, end + 1))
            texts = [each["message"]["content"]["text"] for each in got if each["type"] == "message.new"]
            assert sorted(texts, key=int) == [str(number) for number in range(count)]
        assert all(chat.connections == 2 for chat in chats)


async def test_a_retry_after_a_kill_between_commit_and_answer_gets_the_first_answer(world, sockets, message, tmp_path):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    last = (await ari.dialog(dialog_id))["last_seq"]
    reader, said = await sockets.of(ari), message("once")
    async with node_process(world, tmp_path, "doomed", SAMPAN_FAULT="outbox.after_commit:1:kill") as (child, url):
        doomed = await sockets.of(nok, base_url=url)
        await doomed.say("send", ref="r", dialog_id=dialog_id, **said)
        assert await child.died() == -signal.SIGKILL
        await doomed.close_code()
    assert all(frame["type"] != "sent" for frame in doomed.frames)
    # Nobody was told of it; the other node finds it by looking.
    assert await reader.reaches(dialog_id, last + 1) == [last + 1]
    again = await nok.do("POST", f"/v1/dialogs/{dialog_id}/messages", said)
    assert (again.status, again.json["seq"]) == (200, last + 1)
    back = await sockets.of(nok)
    await back.say("send", ref="r", dialog_id=dialog_id, **said)
    sent = await back.until("sent")
    assert (sent["seq"], sent["replayed"]) == (last + 1, True)
    assert [each["seq"] for each in await ari.messages(dialog_id)] == [last + 1]


class Address(str):
    """A base URL that leads elsewhere after ``go_on``, as a load balancer's does."""

    __slots__ = ("urls",)

    def __new__(cls, urls):
        made = super().__new__(cls, urls[0])
        made.urls = urls
        return made

    def rstrip(self, *_):
        return self

    def go_on(self):
        self.urls.pop(0)

    def replace(self, *arguments):
        return self.urls[0].replace(*arguments)

    def __format__(self, spec):
        return self.urls[0]


async def test_a_reader_that_stops_costs_its_peers_nothing_and_is_sent_away(world, sockets, monkeypatch):
    monkeypatch.setattr("messaging.realtime.socket.sweeping.STUCK_S", 120.0)  # what it is sent is too much before that
    tries = []
    while not any(beside <= 2 * alone + 0.02 for beside, alone in tries):
        assert len(tries) < 3, tries
        tries.append(await beside_one_that_stops(world, sockets))


async def beside_one_that_stops(world, sockets):
    """The p99 of how long a message takes to its peer, and to the same peer in another dialog."""
    nok, ari, stuck = [await world.person() for _ in range(3)]
    dialog_id, control_id = await world.group(nok, ari, stuck), await world.group(nok, ari)
    peer = await sockets.of(ari)
    reader, writer = await stalled(world, stuck)

    async def latency(of, text="x"):
        begun = time.monotonic()
        sent = await nok.send(of, text)
        await peer.reaches(of, sent["seq"])
        return time.monotonic() - begun

    node = world.node
    [connection] = node.people.connections_of(stuck.user_id)
    async with asyncio.timeout(30):
        while connection.transport.get_write_buffer_size() < 16 * 1024:
            await latency(dialog_id, "x" * 8_000)
    pairs = [(await latency(dialog_id), await latency(control_id)) for _ in range(250)]
    # All this time it took nothing, and had not been sent away yet.
    assert connection.transport.get_write_buffer_size() > 100 * 1024
    assert not connection.closing_at
    async with asyncio.timeout(30):
        while not connection.closing_at:
            await latency(dialog_id, "x" * 8_000)
    await eventually(lambda: not list(node.people.connections_of(stuck.user_id)), what="the stuck one is sent away")
    last = (await nok.dialog(dialog_id))["last_seq"]
    again = await sockets.of(stuck, resume={"dialogs": {dialog_id: 3}})
    await again.until("resumed")
    assert again.seqs(dialog_id) == list(range(4, last + 1))
    writer.transport.abort()
    del reader
    return [p99(each) for each in zip(*pairs, strict=True)]


def p99(latencies):
    return sorted(latencies)[int(len(latencies) * 0.99)]


async def stalled(world, person):
    """A connection that authenticates and then reads nothing more."""
    host, port = world.call.base_url.removeprefix("http://").split(":")
    plain = sockets_of_the_machine.socket()
    plain.setsockopt(sockets_of_the_machine.SOL_SOCKET, sockets_of_the_machine.SO_RCVBUF, 4096)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=plain, limit=1024)
    writer.write(
        f"GET /v1/realtime HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    auth = b'{"type":"auth","token":"%s"}' % person.token.encode()
    writer.write(b"\x81\xfe" + len(auth).to_bytes(2) + b"\0\0\0\0" + auth)
    await reader.read(100)
    writer.transport.pause_reading()
    return reader, writer


async def test_draining_says_goodbye_and_nothing_sent_is_lost(world, tmp_path):
    nok = await world.person()
    dialog_id = await world.group(nok, await world.person())
    async with node_process(world, tmp_path, "draining") as (child, url):
        there = Address([url, world.call.base_url])
        async with ChatClient(there, nok.token, backoff=Backoff(first_s=0.05, cap_s=0.1)) as chat:
            await chat.live()
            with chat.reading() as events:
                sent = []

                async def write():
                    for number in range(60):
                        sent.append(await chat.send_text(dialog_id, str(number)))  # noqa: PERF401 -- as above

                writing = asyncio.create_task(write())
                await eventually(lambda: len(sent) >= 5, timeout_s=30, every_s=0.001)
                there.go_on()
                assert await child.stop(timeout_s=30) == 0
                await writing
                assert len({each.seq for each in sent}) == 60
                seqs = []
                async with asyncio.timeout(30):
                    while len(seqs) < 60:
                        event = await events.next()
                        if event["type"] == "message.new":
                            seqs.append(event["seq"])
                assert seqs == sorted(set(seqs))
            assert chat.connections == 2


async def test_clients_that_all_come_back_at_once_catch_up(world):
    """Many people, a few dialogs, one read for all who miss the same."""
    people = [await world.person() for _ in range(40)]
    dialogs = [await world.group(*random.sample(people, 20)) for _ in range(4)]
    for dialog_id in dialogs:
        async with world.app.database.read() as conn:
            member = await conn.fetchval("SELECT user_id FROM member WHERE dialog_id = $1", uuid.UUID(dialog_id))
        sender = next(each for each in people if each.user_id == member)
        for number in range(30):
            await sender.send(dialog_id, str(number))
    took = [await all_come_back(world, people, dict.fromkeys(dialogs, 5)) for _ in range(3)]
    assert min(took) < 5, took


async def all_come_back(world, people, positions):
    """At once, each to all that was missed. How many seconds it took."""
    async with contextlib.AsyncExitStack() as stack:
        begun = time.monotonic()
        chats = [
            await stack.enter_async_context(ChatClient(world.call.base_url, each.token, positions=positions))
            for each in people
        ]
        readers = [stack.enter_context(chat.reading()) for chat in chats]
        await asyncio.gather(*[chat.live() for chat in chats])
        took = time.monotonic() - begun
        for reader in readers:
            seqs = {}
            while not reader.queue.empty():
                frame = await reader.next()
                if "seq" in frame:
                    seqs.setdefault(frame["dialog_id"], []).append(frame["seq"])
            for got in seqs.values():
                assert got == list(range(6, got[-1] + 1))
                assert got[-1] >= 50
    return took
