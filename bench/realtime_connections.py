"""What a connection costs a node, and what a delivery does: RSS per idle authenticated connection, CPU per delivery.

A node (the service's http role, on its own database) is a process of its own; so are the clients, which read and count
and parse nothing. References in the same run: aiohttp's own WebSocket in place of the node (what one would write first,
without any feature), and its serial ``await send`` over the members. Then the clients of a node that was killed come
back within ten seconds, each 20 events behind in its dialog: how long from the first byte to being caught up.

python bench/realtime_connections.py [--connections 5000] [--members 100] [--messages 200] [--rounds 2]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import shutil
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from chassis.testing.issuer import TokenIssuer
from messaging.adapters.accounts import Account, keep_account
from messaging.settings import MessagingSettings
from messaging.wiring import wire
from testkit.databases import Databases
from testkit.infra import local_infra
from testkit.processes import Child
from testkit.wait import eventually

KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
USER_CONNECTIONS = 10
UPGRADE = (
    b"GET /v1/realtime HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Idle(asyncio.Protocol):
    """A client that authenticates, and then only counts frames by a mark that each stored one has once."""

    def __init__(self, host: bytes, auth: dict[str, Any]) -> None:
        self._host, self._auth = host, json.dumps({"type": "auth", **auth}).encode()
        self._mark = b'"resumed"' if "resume" in auth else b'"ready"'
        self._began = time.monotonic()
        self.took_s = 0.0
        self.ready = asyncio.get_running_loop().create_future()
        self.counted = 0
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(UPGRADE % self._host)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if not self._upgraded and b"\r\n\r\n" in data:
            self._upgraded = True
            head = b"\x81\xfe" + len(self._auth).to_bytes(2) + b"\0\0\0\0"
            self.transport.write(head + self._auth)  # type: ignore[attr-defined]
        if not self.ready.done() and self._mark in data:
            self.took_s = time.monotonic() - self._began
            self.ready.set_result(None)
        self.counted += data.count(b'"client_message_id"')

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(str(exc)))


def clients(port: int, auths: list[dict[str, Any]], within_s: float, pipe: Any) -> None:
    """A process of clients: opens all of them, evenly within that time, or 50 at a time as fast as they are taken.

    Then it answers ``count`` with what they have got.
    """

    async def run() -> None:
        loop = asyncio.get_running_loop()
        host = f"127.0.0.1:{port}".encode()
        opened: list[Idle] = []

        async def open_one(number: int) -> None:
            if within_s:
                await asyncio.sleep(within_s * number / len(auths))
            _, made = await loop.create_connection(lambda: Idle(host, auths[number]), "127.0.0.1", port)
            opened.append(made)
            await made.ready

        at_once = len(auths) if within_s else 50
        for start in range(0, len(auths), at_once):
            await asyncio.gather(*[open_one(number) for number in range(start, min(start + at_once, len(auths)))])
        pipe.send([each.took_s for each in opened])
        while await asyncio.to_thread(pipe.recv) != "stop":
            pipe.send(sum(each.counted for each in opened))

    uvloop.run(run())


@asynccontextmanager
async def connected(port: int, auths: list[dict[str, Any]], within_s: float = 0.0) -> AsyncIterator[Any]:
    """Clients in two processes; yields how long each took, and a coroutine function that counts."""
    context = multiprocessing.get_context("spawn")
    halves = [auths[::2], auths[1::2]]
    running = []
    for half in halves:
        if not half:
            continue
        mine, theirs = context.Pipe()
        process = context.Process(target=clients, args=(port, half, within_s, theirs), daemon=True)
        process.start()
        running.append((process, mine))
    took_s = [each for _, pipe in running for each in await asyncio.to_thread(pipe.recv)]
    assert len(took_s) == len(auths), len(took_s)

    async def count() -> int:
        for _, pipe in running:
            pipe.send("count")
        return sum([await asyncio.to_thread(pipe.recv) for _, pipe in running])

    try:
        yield took_s, count
    finally:
        for process, pipe in running:
            pipe.send("stop")
            await asyncio.to_thread(process.join, 10)


def rss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


class World:
    """A node with people, and a dialog of some of them."""

    def __init__(self, child: Child, port: int, issuer: TokenIssuer, session: aiohttp.ClientSession) -> None:
        self.child, self.port, self.issuer, self.session = child, port, issuer, session
        self.url = f"http://127.0.0.1:{port}"
        self.people: list[uuid.UUID] = []

    async def post(self, path: str, token: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
        async with self.session.post(self.url + path, json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def dialog(self, members: int) -> tuple[str, list[str]]:
        """A group, and its members' tokens, each once."""
        others = [str(each) for each in self.people[1:members]]
        tokens = [self.issuer.token_for(each, lifetime_s=7200) for each in self.people[:members]]
        made = await self.post("/v1/dialogs", tokens[0], {"kind": "group", "user_ids": others, "title": "bench"})
        return made["dialog_id"], tokens


@asynccontextmanager
async def node(people: int) -> AsyncIterator[World]:
    infra = local_infra()
    databases = Databases(infra.postgres_admin_dsn)
    objects = tempfile.mkdtemp()
    needed = {"MESSAGING_KEY_ENCRYPTION_KEY": KEY, "MESSAGING_OBJECTS_DIR": objects}
    made = await databases.create("messaging", environment=needed)
    port, ops_port = free_port(), free_port()
    try:
        async with TokenIssuer.serve() as issuer, aiohttp.ClientSession() as session:
            settings = {
                "environment": "test",
                "http_port": port,
                "ops_port": ops_port,
                "database_dsn": made.dsn,
                "redis_url": infra.redis_url,
                "kafka_bootstrap": infra.kafka_bootstrap,
                "kafka_username": infra.kafka_username or "",
                "kafka_password": infra.kafka_password or "",
                "jwks_url": issuer.jwks_url,
                "cursor_secret": "bench-only-cursor-secret-of-32-bytes",
                "key_encryption_key": KEY,
                "objects_dir": objects,
                "log_level": "warning",
                "realtime_sends_per_minute": 1_000_000,
                "realtime_frames_per_s": 1_000_000,
                "realtime_frames_burst": 1_000_000,
            }
            environment = {f"MESSAGING_{name.upper()}": str(value) for name, value in settings.items()}
            log = Path(os.devnull)
            async with Child("messaging", "http", environment=environment, log=log) as child:
                await child.ready(ops_port)
                world = World(child, port, issuer, session)
                async with wire(MessagingSettings(**settings)) as app:
                    world.people = [uuid.uuid4() for _ in range(people)]
                    for start in range(0, people, 500):
                        async with app.begin() as tx:
                            for user_id in world.people[start : start + 500]:
                                await keep_account(
                                    tx.conn, Account(user_id=user_id, version=1, display_name="B", locale="en-US")
                                )
                yield world
    finally:
        await databases.drop_all()
        shutil.rmtree(objects)


async def idle(world: World, connections: int) -> tuple[float, int]:
    """KiB RSS per idle authenticated connection, each of which watches one dialog; and the whole process."""
    tokens = []
    for start in range(0, connections, 100):
        people = world.people[start : start + 100]
        mine = [world.issuer.token_for(each, lifetime_s=7200) for each in people]
        others = [str(each) for each in people[1:]]
        await world.post("/v1/dialogs", mine[0], {"kind": "group", "user_ids": others, "title": "bench"})
        tokens += mine
    before = rss_kib(world.child.pid)
    async with connected(world.port, [{"token": each} for each in tokens]):
        await asyncio.sleep(2.0)
        after = rss_kib(world.child.pid)
    return (after - before) / connections, after


async def deliveries(world: World, members: int, messages: int) -> tuple[float, float, float]:
    """µs of the node's CPU per delivery, of which its own share of storing; deliveries a second."""
    dialog_id, tokens = await world.dialog(members)
    lonely, _ = await world.dialog(2)
    gate = asyncio.Semaphore(32)

    async def send(to: str) -> None:
        async with gate:
            body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "x" * 200}}
            await world.post(f"/v1/dialogs/{to}/messages", tokens[0], body)

    async with connected(world.port, [{"token": each} for each in tokens[1:]]) as (_, count):
        await asyncio.sleep(0.5)
        base, began = cpu_s(world.child.pid), time.monotonic()
        await asyncio.gather(*[send(lonely) for _ in range(messages)])
        await asyncio.sleep(0.3)
        storing = cpu_s(world.child.pid) - base
        base, began = cpu_s(world.child.pid), time.monotonic()
        await asyncio.gather(*[send(dialog_id) for _ in range(messages)])
        expected = messages * (len(tokens) - 1)

        async def arrived() -> bool:
            return await count() >= expected

        await eventually(arrived, timeout_s=60)
        took = time.monotonic() - began
        await asyncio.sleep(0.3)
        used = cpu_s(world.child.pid) - base
    return (used - storing) / expected * 1e6, storing / messages * 1e6, expected / took


async def coming_back(world: World, connections: int) -> tuple[float, float]:
    """p50 and p99 in seconds until caught up: groups of 100, each 20 messages ahead of its people, all within 10 s."""
    auths: list[dict[str, Any]] = []
    for start in range(0, connections, 100):
        people = world.people[start : start + 100]
        tokens = [world.issuer.token_for(each, lifetime_s=7200) for each in people]
        others = [str(each) for each in people[1:]]
        made = await world.post("/v1/dialogs", tokens[0], {"kind": "group", "user_ids": others, "title": "bench"})
        for number in range(20):
            body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": f"missed {number}"}}
            await world.post(f"/v1/dialogs/{made['dialog_id']}/messages", tokens[0], body)
        resume = {"dialogs": {made["dialog_id"]: made["last_seq"]}}
        auths += [{"token": each, "resume": resume} for each in tokens]
    random.shuffle(auths)
    async with connected(world.port, auths, within_s=10.0) as (took_s, _):
        ordered = sorted(took_s)
        return ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]


def plain_server(port: int) -> None:
    """The reference: aiohttp's WebSocket, and a loop of sends. No storage, no order, no resume, no limits."""
    members: set[web.WebSocketResponse] = set()

    async def realtime(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        await ws.receive()
        await ws.send_str('{"type":"ready"}')
        members.add(ws)
        try:
            async for _ in ws:
                pass
        finally:
            members.discard(ws)
        return ws

    async def tell(request: web.Request) -> web.Response:
        text = await request.text()
        for ws in list(members):
            await ws.send_str(text)
        return web.Response()

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/v1/realtime", realtime)
        app.router.add_post("/tell", tell)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
        await asyncio.Event().wait()

    uvloop.run(run())


async def plain(connections: int, members: int, messages: int) -> tuple[float, float]:
    """KiB per connection and µs of CPU per delivery of the reference."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=plain_server, args=(port,), daemon=True)
    process.start()
    try:
        async with aiohttp.ClientSession() as session:

            async def up() -> bool:
                async with session.post(f"http://127.0.0.1:{port}/tell", data="x") as answer:
                    return answer.status == 200

            await eventually(up, timeout_s=60)
            assert process.pid is not None
            before = rss_kib(process.pid)
            async with connected(port, [{"token": "t"}] * connections):
                await asyncio.sleep(1.0)
                per_connection = (rss_kib(process.pid) - before) / connections
            await asyncio.sleep(0.5)
            text = json.dumps({"type": "message.new", "client_message_id": "", "text": "x" * 560})
            async with connected(port, [{"token": "t"}] * (members - 1)) as (_, count):
                base = cpu_s(process.pid)
                for _ in range(messages):
                    async with session.post(f"http://127.0.0.1:{port}/tell", data=text) as answer:
                        assert answer.status == 200
                expected = messages * (members - 1)

                async def arrived() -> bool:
                    return await count() >= expected

                await eventually(arrived, timeout_s=60)
                per_delivery = (cpu_s(process.pid) - base) / expected * 1e6
    finally:
        process.terminate()
        process.join(5)
    return per_connection, per_delivery


async def main(arguments: argparse.Namespace) -> int:
    print(f"load before: {os.getloadavg()[0]:.2f}; {os.cpu_count()} CPUs; {arguments.connections} connections,")
    print(f"{arguments.members} members, {arguments.messages} messages of 200 characters; fsync on, every feature on")
    idle_kib, fewest_us = 0.0, 1e9
    async with node(max(arguments.connections, arguments.members)) as world:
        for number in range(arguments.rounds):
            us, storing_us, per_s = await deliveries(world, arguments.members, arguments.messages)
            fewest_us = min(fewest_us, us)
            print(f"round {number + 1}: node {us:.1f} µs a delivery ({per_s:,.0f}/s), {storing_us:,.0f} µs a send")
            plain_kib, plain_us = await plain(min(arguments.connections, 2000), arguments.members, arguments.messages)
            print(
                f"         aiohttp alone {plain_us:.1f} µs a delivery, {plain_kib:.1f} KiB each; × {us / plain_us:.2f}"
            )
        idle_kib, whole = await idle(world, arguments.connections)
        print(f"idle: {idle_kib:.1f} KiB a connection (goal ≤ 24), the process {whole / 1024:.0f} MiB")
    async with node(arguments.returning) as world:
        p50_s, p99_s = await coming_back(world, arguments.returning)
    caught_up = f"p50 {p50_s * 1000:.0f} ms, p99 {p99_s * 1000:.0f} ms (goal ≤ 2,000)"
    print(f"{arguments.returning} come back within 10 s: caught up {caught_up}")
    print(f"delivery: {fewest_us:.1f} µs (goal ≤ 15); load after: {os.getloadavg()[0]:.2f}")
    return 0 if idle_kib <= 24 and fewest_us <= 15 and p99_s <= 2 else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--returning", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=2)
    sys.exit(uvloop.run(main(parser.parse_args())))
