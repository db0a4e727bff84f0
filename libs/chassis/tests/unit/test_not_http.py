"""Requests that reach no route, or are no HTTP at all, are refused with problems, and what they hold is not repeated."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import orjson
import pytest
import pytest_asyncio
import uvloop
from aiohttp import web

from chassis.http import Body, Line, Routes, View, make_app, server
from chassis.run.health import Health
from chassis.run.ops import ops_app
from testkit.serving import Client, serving

routes = Routes(tag="things")


class ThingBody(Body):
    name: Line


class ThingView(View):
    name: str


@routes.post("/v1/things", auth="public")
async def post_thing(body: ThingBody) -> ThingView:
    return ThingView(name=body.name)


MALFORMED = {
    "no method": b"GE(T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no host": b"GET /v1/things HTTP/1.1\r\n\r\n",
    "a space in a header's name": b"GET / HTTP/1.1\r\nHost: x\r\nA b: secret\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: secret\0b\r\n\r\n",
    "a header without an end": b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"secret" * 50_000 + b"\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: secret\r\n" * 40_000 + b"\r\n",
    "two lengths": b"POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": (
        b"POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a chunk without a size": (
        b"POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nsecret\r\n"
    ),
}
REFUSED = {
    "another expectation": (
        b"POST /v1/things HTTP/1.1\r\nHost: x\r\nExpect: secret\r\nContent-Length: 0\r\n\r\n",
        (417, "request.expectation.unsupported"),
    ),
    "a path of the whole server": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", (404, "request.path.not_found")),
    "a tunnel": (b"CONNECT secret:443 HTTP/1.1\r\nHost: x\r\n\r\n", (404, "request.path.not_found")),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def call() -> AsyncIterator[Client]:
    async with serving(make_app("things", [routes], app=None)) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ops() -> AsyncIterator[Client]:
    async with serving(ops_app(Health())) as client:
        yield client


async def exchange(client: Client, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what comes back on a connection of its own."""
    parts = urlsplit(client.base_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(raw)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    status, headers = parsed(head)
    body = await asyncio.wait_for(reader.readexactly(int(headers["content-length"])), 10)
    writer.close()
    return status, headers, body


def parsed(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers."""
    status_line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status_line.split()[1]), headers


def check_problem(answer: tuple[int, dict[str, str], bytes], status: int, code: str) -> None:
    given, headers, body = answer
    problem = orjson.loads(body)
    assert (given, headers["content-type"], problem["status"], problem["code"]) == (
        status,
        "application/problem+json",
        status,
        code,
    )
    assert headers["x-request-id"] == problem["request_id"]
    assert headers["server"] == "sampan"
    assert b"secret" not in body
    assert b"aiohttp" not in body.lower()


@pytest.mark.parametrize("what", MALFORMED)
async def test_what_cannot_be_read_is_malformed(call: Client, ops: Client, what: str) -> None:
    check_problem(await exchange(call, MALFORMED[what]), 400, "request.http.malformed")
    if b"/v1/things" not in MALFORMED[what]:
        check_problem(await exchange(ops, MALFORMED[what]), 400, "request.http.malformed")


async def refused_while_sending(base_url: str) -> tuple[int, dict[str, str], bytes]:
    """The answer to what cannot be read and goes on after it, slower than the answer comes."""
    parts = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(b"GE(T / HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(40):
            if writer.is_closing():  # a machine that stands still: the server has waited long enough for the rest
                break
            writer.write(b"secret" * 2_000)
            await writer.drain()
            await asyncio.sleep(0.005)
        answer = await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return *parsed(head), body


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_the_refusal_arrives_although_more_is_being_sent(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that is closed with unread bytes is reset, and what was written last may be lost on its way."""

    async def lost_of(tries: int) -> int:
        lost = 0
        async with serving(make_app("things", [routes], app=None)) as client:
            for _ in range(tries):
                try:
                    check_problem(await refused_while_sending(client.base_url), 400, "request.http.malformed")
                except (ConnectionError, IndexError):  # reset, or ended without an answer
                    lost += 1
        return lost

    async def nothing(_: object) -> None: ...

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(lost_of(5)) == 0
        monkeypatch.setattr(server._Connection, "_wait_for_the_other_side", nothing)
        assert runner.run(lost_of(20))  # control: without waiting, the answer may be gone


async def test_whoever_never_hangs_up_is_hung_up_on(call: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LINGER_S", 0.2)
    parts = urlsplit(call.base_url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"GE(T / HTTP/1.1\r\nHost: x\r\n\r\n")

    async def go_on() -> None:
        for _ in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    with pytest.raises(ConnectionError):
        await go_on()
    writer.close()


@pytest.mark.parametrize("what", REFUSED)
async def test_what_the_server_itself_refuses_is_a_problem(call: Client, what: str) -> None:
    raw, (status, code) = REFUSED[what]
    check_problem(await exchange(call, raw), status, code)


async def test_the_operators_port_refuses_with_problems_too(ops: Client) -> None:
    check_problem(await exchange(ops, b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"), 404, "request.path.not_found")
    check_problem(await exchange(ops, b"PUT /livez HTTP/1.1\r\nHost: x\r\n\r\n"), 405, "request.method.not_allowed")


async def test_an_expectation_to_go_on_is_met(call: Client) -> None:
    body = b'{"name":"a"}'
    head = f"POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    parts = urlsplit(call.base_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head.encode() + b"Expect: 100-continue\r\n\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).startswith(b"HTTP/1.1 100")
    writer.write(body)
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "compress", "x-unknown", "gzip, gzip"])
async def test_a_compressed_body_is_refused_whatever_is_in_it(call: Client, encoding: str) -> None:
    for raw in (gzip.compress(b'{"name":"a"}'), b"{}", b""):
        answer = await call("POST", "/v1/things", raw=raw, headers={"Content-Encoding": encoding})
        assert (answer.status, answer.json["code"]) == (415, "request.media_type.unsupported")
        assert answer.headers["Accept-Encoding"] == "identity"


async def test_a_body_that_says_it_is_not_compressed_is_taken(call: Client) -> None:
    answer = await call("POST", "/v1/things", body={"name": "a"}, headers={"Content-Encoding": "identity"})
    assert answer.status == 200


async def test_an_error_that_no_route_catches_is_told_as_an_internal_one(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: web.Request) -> web.Response:
        raise ValueError("secret")

    app = web.Application()
    app.router.add_get("/", broken)
    async with serving(app) as client:
        check_problem(await exchange(client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 500, "internal.error")
    assert "secret" in caplog.text
