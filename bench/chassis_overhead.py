"""HTTP: what a chassis route costs beside a bare aiohttp handler that answers the same bytes (goal: ≤ 1.3×).

Server processes on one uvloop each; one client alternates short rounds between them. CPU per request is the
server's own, from the scheduler's clock. The bare handler parses and renders JSON with orjson and does nothing else:
no token, no validation, no access log, no metrics, no trace, no request id. The chassis route does all of these. A
third server is the chassis whose answers are all written by aiohttp: what ``chassis.http.quick`` is kept for.

    .venv/bin/python bench/chassis_overhead.py [--rounds 12] [--seconds 1.0] [--connections 16] [--profile]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
import uvloop
from aiohttp import web
from pydantic import Field

from chassis.http import Body, Line, MoneyBody, MoneyView, Routes, View, WaitQuery, make_app
from chassis.http.quick import QuickHeads
from chassis.http.server import ServerRunner
from chassis.run.process import settle_memory
from chassis.telemetry import configure_logging
from chassis.tokens import Principal, TokenVerifier
from testkit.issuer import TokenIssuer

GOAL = 1.3
KINDS = ("bare", "chassis", "without quick")
ITEM_ID = UUID("0190b7a0-0000-7000-8000-000000000001")


class LineBody(Body):
    item_id: UUID
    quantity: Annotated[int, Field(ge=1, le=100)]


class OrderBody(Body):
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=50)]
    note: Annotated[Line, Field(max_length=200)] = ""
    budget: MoneyBody


class OrderView(View):
    order_id: UUID
    status: str
    lines: int
    total: MoneyView


routes = Routes(tag="bench")


@routes.get("/v1/orders/{order_id}")
async def get_order(order_id: UUID, query: WaitQuery, principal: Principal) -> OrderView:  # noqa: ARG001
    """A read with a token, a path id and a query model."""
    return OrderView(order_id=order_id, status="paid", lines=query.wait_s == 0, total=TOTAL)


@routes.post("/v1/orders", status=202, idempotency="none")
async def post_order(body: OrderBody, principal: Principal) -> OrderView:  # noqa: ARG001
    """A write with a token and a validated body, without the database."""
    return OrderView(order_id=ITEM_ID, status="pending", lines=len(body.lines), total=TOTAL)


TOTAL = MoneyView.model_validate({"amount_minor": 125_000, "currency": "THB"})


async def bare_get(request: web.Request) -> web.Response:
    order_id = request.match_info["order_id"]
    view = {"order_id": order_id, "status": "paid", "lines": 1, "total": {"amount_minor": 125_000, "currency": "THB"}}
    return web.Response(body=orjson.dumps(view), content_type="application/json")


async def bare_post(request: web.Request) -> web.Response:
    body = await request.json(loads=orjson.loads)
    view = {
        "order_id": str(ITEM_ID),
        "status": "pending",
        "lines": len(body["lines"]),
        "total": {"amount_minor": 125_000, "currency": "THB"},
    }
    return web.Response(status=202, body=orjson.dumps(view), content_type="application/json")


class NothingRevoked:
    def is_revoked(self, _: UUID) -> bool:
        return False


def chassis_app(issuer: TokenIssuer, *, quick: bool) -> web.Application:
    configure_logging("bench")
    if not quick:
        QuickHeads.suits = lambda *_: False  # type: ignore[method-assign]
    verifier = TokenVerifier("", issuer.issuer, issuer.audience, NothingRevoked(), fetch=issuer.fetch)  # type: ignore[arg-type]
    return make_app("bench", [routes], app=None, verifier=verifier)


def bare_app() -> web.Application:
    app = web.Application()
    app.router.add_get("/v1/orders/{order_id}", bare_get)
    app.router.add_post("/v1/orders", bare_post)
    return app


async def serve(kind: str) -> None:
    """A server process: says its port and a token on stderr, then serves until stdin closes."""
    issuer = TokenIssuer()
    ours = kind != "bare"
    app = chassis_app(issuer, quick=kind == "chassis") if ours else bare_app()
    runner = ServerRunner(app, access_log=None) if ours else web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    if ours:
        settle_memory()  # as every process of ours does at start
    token = issuer.token_for(uuid.uuid4(), lifetime_s=86_400)
    sys.stderr.write(f"{runner.addresses[0][1]} {token}\n")
    sys.stderr.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


@dataclass
class Server:
    """One server process and what was measured of it."""

    kind: str
    process: subprocess.Popen[str]
    port: int
    token: str
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    per_s: dict[str, list[float]] = field(default_factory=dict)

    def cpu_s(self) -> float:
        """Time its main thread was on a processor."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9


def start(kind: str, log: Any, *, profile: bool) -> Server:
    prefix = [sys.executable] + (["-m", "cProfile", "-o", f"/tmp/{kind}.prof"] if profile else [])  # noqa: S108
    process = subprocess.Popen(
        [*prefix, __file__, "--serve", kind],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    port, token = process.stderr.readline().split()
    return Server(kind, process, int(port), token)


def requests_for(server: Server) -> dict[str, bytes]:
    """The bytes of each kind of request. Both servers get the same headers."""
    body = orjson.dumps(
        {
            "lines": [{"item_id": str(ITEM_ID), "quantity": 2}, {"item_id": str(uuid.uuid4()), "quantity": 1}],
            "note": "ring the bell",
            "budget": {"amount_minor": 125_000, "currency": "THB"},
        }
    )
    head = (
        f"Host: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {server.token}\r\nAccept: application/json\r\n"
        "Accept-Language: th-TH\r\nUser-Agent: bench/1\r\n"
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n"
    )
    get = f"GET /v1/orders/{ITEM_ID} HTTP/1.1\r\n{head}\r\n".encode()
    post = f"POST /v1/orders HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return {"GET": get, "POST": post.encode() + body}


class Caller(asyncio.Protocol):
    """One connection that sends the next request when the answer is in."""

    def __init__(self, request: bytes, done: Callable[[], bool]) -> None:
        self._request, self._done = request, done
        self._received = b""
        self.count = 0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._transport.write(self._request)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        if not head.startswith(b"HTTP/1.1 20"):
            self.finished.set_exception(AssertionError(self._received.decode()))
            self._transport.close()
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return
        self._received = b""
        self.count += 1
        if self._done():
            self._transport.close()
            self.finished.set_result(None)
        else:
            self._transport.write(self._request)


async def round_of(server: Server, name: str, request: bytes, *, seconds: float, connections: int) -> None:
    """One round against one server."""
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + seconds
    cpu_s, begun = server.cpu_s(), time.perf_counter()
    callers: list[Caller] = []
    for _ in range(connections):
        _, caller = await loop.create_connection(
            lambda: Caller(request, lambda: time.perf_counter() >= end), "127.0.0.1", server.port
        )
        callers.append(caller)
    await asyncio.gather(*(caller.finished for caller in callers))
    count = sum(caller.count for caller in callers)
    server.cpu_us.setdefault(name, []).append((server.cpu_s() - cpu_s) / count * 1e6)
    server.per_s.setdefault(name, []).append(count / (time.perf_counter() - begun))


async def compare(servers: list[Server], *, rounds: int, seconds: float, connections: int) -> None:
    for index in range(-1, rounds):
        for name in ("GET", "POST"):
            for server in servers if index % 2 else servers[::-1]:
                request = requests_for(server)[name]
                await round_of(server, name, request, seconds=seconds, connections=connections)
                if index < 0:  # the first round warms up
                    server.cpu_us[name].clear()
                    server.per_s[name].clear()


def report(bare: Server, chassis: Server, without: Server, arguments: argparse.Namespace) -> float:
    print(
        f"chassis overhead: {arguments.rounds} rounds of {arguments.seconds:g} s alternated,"
        f" {arguments.connections} connections, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    worst = 0.0
    for name in ("GET", "POST"):
        pairs = zip(chassis.cpu_us[name], bare.cpu_us[name], strict=True)
        ratio = statistics.median(mine / theirs for mine, theirs in pairs)
        worst = max(worst, ratio)
        print(
            f"  {name:4}  CPU per request: chassis {statistics.median(chassis.cpu_us[name]):6.1f} µs,"
            f" bare aiohttp {statistics.median(bare.cpu_us[name]):6.1f} µs, ratio {ratio:.2f};"
            f" throughput {statistics.median(chassis.per_s[name]):6.0f}/s,"
            f" bare {statistics.median(bare.per_s[name]):6.0f}/s"
        )
        pairs = zip(without.cpu_us[name], bare.cpu_us[name], strict=True)
        ratio = statistics.median(mine / theirs for mine, theirs in pairs)
        print(f"        without http/quick.py {statistics.median(without.cpu_us[name]):6.1f} µs, ratio {ratio:.2f}")
    print(f"  worst ratio {worst:.2f}, goal ≤ {GOAL}: {'met' if worst <= GOAL else 'missed'}")
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=KINDS)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--profile", action="store_true", help="write /tmp/chassis.prof and /tmp/bare.prof")
    arguments = parser.parse_args()
    if arguments.serve:
        uvloop.run(serve(arguments.serve))
        return 0
    with Path(os.devnull).open("wb") as log:
        servers = [start(kind, log, profile=arguments.profile) for kind in KINDS]
        try:
            uvloop.run(
                compare(
                    servers,
                    rounds=arguments.rounds,
                    seconds=arguments.seconds,
                    connections=arguments.connections,
                )
            )
        finally:
            for server in servers:
                assert server.process.stdin is not None
                server.process.stdin.close()
                server.process.wait()
    return 0 if report(*servers, arguments) <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
