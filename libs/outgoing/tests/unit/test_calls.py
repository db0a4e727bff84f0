"""Calls on real sockets: judged at each connect, bounded in time, size and number, nothing from the environment.

A test that reaches nothing proves nothing: each refusal stands beside the same call that development's reach lets through.
"""

import asyncio
import datetime as dt
import socket
import ssl
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from outgoing import LOCAL, NoAnswerError, OutgoingClient, Reach, Target, fold

PUBLIC_HTTP = Reach(schemes=frozenset({"http", "https"}))
ELSEWHERE = "192.0.2.1"
UNSPECIFIED = "0.0.0.0"  # noqa: S104 -- connecting to it reaches this machine


class Answers(AbstractResolver):
    """A name server that says something else each time."""

    def __init__(self, *answers):
        self._answers, self.asked = list(answers), 0

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        given = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        kind = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            {"hostname": host, "host": each, "port": port, "family": kind[":" in each], "proto": 0, "flags": 0}
            for each in given
        ]

    async def close(self):
        pass


@asynccontextmanager
async def listener(handler=None, host="127.0.0.1"):
    """Counts connections, also those that never say a word."""
    connections = []

    async def on_connection(reader, writer):
        connections.append(writer.get_extra_info("peername"))
        try:
            if handler is not None:
                await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(on_connection, host, 0)
    try:
        yield server.sockets[0].getsockname()[1], connections
    finally:
        server.close()


@asynccontextmanager
async def client(reach, **options):
    made = OutgoingClient("tests", reach, **options)
    try:
        yield made
    finally:
        await made.close()


async def no_content(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    await writer.drain()


async def answer_once(reader, writer):
    await no_content(reader, writer)
    writer.close()


def certificate(folder):
    """A TLS server's context for localhost, and one of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(serialization.Encoding.PEM)
    )
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(file)
    return serving, ssl.create_default_context(cafile=file)


def at(host, port, scheme="http"):
    """A target that no check has seen, as if folding had a hole."""
    return Target(scheme, host, port, None, f"{scheme}://{host}:{port}/")


async def reason(calling):
    with pytest.raises(NoAnswerError) as refused:
        await calling
    return refused.value.reason


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "127.1", UNSPECIFIED, "0"])
async def test_this_machine_is_not_connected_to_whatever_folding_lets_through(host):
    async with listener(no_content) as (port, connections), client(PUBLIC_HTTP) as guarded:
        assert await reason(guarded.call("GET", at(host, port))) in {"refused", "unreachable"}
        assert connections == []


async def test_without_the_judgement_the_same_call_arrives():
    async with listener(no_content) as (port, connections), client(LOCAL) as open_client:
        for host in ("127.0.0.1", "localhost", UNSPECIFIED):
            assert (await open_client.call("GET", at(host, port))).status == 204
        assert len(connections) == 3


async def test_a_name_that_resolves_inwards_is_refused_at_the_connection():
    inwards = Answers(["127.0.0.1"], ["::ffff:127.0.0.1"], ["10.0.0.8", "127.0.0.1"])
    async with listener(no_content) as (port, connections), client(PUBLIC_HTTP, resolver=inwards) as guarded:
        for number in range(3):
            target = fold(f"http://hooks{number}.example.com:{port}/", PUBLIC_HTTP)
            assert await reason(guarded.call("POST", target, body=b"{}")) == "refused"
        assert (inwards.asked, connections) == (3, [])


async def test_a_name_that_answers_differently_the_second_time_is_judged_the_second_time():
    """Rebinding: the first answer is public, the second is this machine."""
    async with listener(no_content) as (port, connections):
        rebound = Answers(["8.8.8.8"], ["127.0.0.1"])
        first = (await rebound.resolve("hooks.example.com"))[0]["host"]
        assert fold(f"http://{first}/", PUBLIC_HTTP).host == "8.8.8.8"  # a check of its own would have let it pass
        async with client(PUBLIC_HTTP, resolver=rebound) as guarded:
            target = fold(f"http://hooks.example.com:{port}/", PUBLIC_HTTP)
            assert await reason(guarded.call("GET", target)) == "refused"
            assert connections == []


async def test_rebinding_reaches_who_judges_names_before_they_are_connected_to():
    """The negative control: checked first, resolved again by the connection."""
    async with listener(no_content) as (port, connections):
        rebound = Answers(["8.8.8.8"], ["127.0.0.1"])
        checked = (await rebound.resolve("hooks.example.com"))[0]["host"]
        assert fold(f"http://{checked}/", PUBLIC_HTTP).address is not None
        async with client(LOCAL, resolver=rebound) as unguarded:
            assert (await unguarded.call("GET", at("hooks.example.com", port))).status == 204
        assert len(connections) == 1


async def test_a_redirect_is_not_followed():
    async with listener(no_content) as (inner_port, inner):

        async def redirect(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{inner_port}/\r\n\r\n".encode())
            await writer.drain()

        async with listener(redirect) as (port, _), client(LOCAL) as caller:
            answer = await caller.call("POST", at("127.0.0.1", port), body=b"{}")
            assert answer.status == 307
            with pytest.raises(ValueError, match="public"):  # who follows it folds it, and is told
                fold(answer.headers["Location"], PUBLIC_HTTP)
            assert inner == []


async def test_proxies_and_passwords_of_the_environment_are_not_used(monkeypatch, tmp_path):
    async with listener(no_content) as (proxy_port, proxied), listener(no_content) as (port, connections):
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy_port}")
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        async with client(LOCAL) as caller:
            assert (await caller.call("GET", at("127.0.0.1", port))).status == 204
        assert (len(connections), proxied) == (1, [])


async def test_a_receiver_that_drips_is_left_after_the_time_limit():
    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        while True:
            writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: " if reader.at_eof() else b"H")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def dripping_body(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.1)

    for handler in (drip, dripping_body):
        async with listener(handler) as (port, _), client(LOCAL, timeout_s=0.5) as caller:
            begun = time.monotonic()
            assert await reason(caller.call("GET", at("127.0.0.1", port), body_bytes_max=10**6)) in {
                "timeout",
                "unreachable",
            }
            assert time.monotonic() - begun < 10


async def test_no_more_of_an_answer_is_read_than_was_asked_for():
    async def endless(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
        for _ in range(10_000):
            writer.write(b"x" * 10_000)
            await writer.drain()

    async with listener(endless) as (port, _), client(LOCAL) as caller:
        assert (await caller.call("GET", at("127.0.0.1", port), body_bytes_max=5000)).body == b"x" * 5000
        assert (await caller.call("GET", at("127.0.0.1", port))).body == b""


async def test_no_more_calls_at_once_than_allowed():
    together, most, full, go_on = 0, 0, asyncio.Event(), asyncio.Event()

    async def slow(request):
        nonlocal together, most
        together += 1
        most = max(most, together)
        if together == 3:
            full.set()
        await go_on.wait()
        together -= 1
        return web.Response(status=204)

    application = web.Application()
    application.router.add_get("/", slow)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with client(LOCAL, at_once=3) as caller:
            port = runner.addresses[0][1]
            calls = [asyncio.create_task(caller.call("GET", at("127.0.0.1", port))) for _ in range(8)]
            await full.wait()
            await asyncio.sleep(0.2)  # a fourth would come now
            go_on.set()
            assert {(await each).status for each in calls} == {204}
            assert most == 3
    finally:
        await runner.cleanup()


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    serving, trusting = certificate(tmp_path)
    server = await asyncio.start_server(answer_once, "127.0.0.1", 0, ssl=serving)
    target = fold(f"https://localhost:{server.sockets[0].getsockname()[1]}/", LOCAL)
    try:
        async with client(LOCAL) as caller:
            assert await reason(caller.call("GET", target)) == "unreachable"
        async with client(LOCAL, ssl=trusting) as caller:
            assert (await caller.call("GET", target)).status == 204
    finally:
        server.close()


async def test_nobody_there_and_no_such_name():
    gone = Answers([ELSEWHERE])
    async with client(LOCAL, timeout_s=2) as caller:
        async with listener() as (port, _):
            pass
        assert await reason(caller.call("GET", at("127.0.0.1", port))) == "unreachable"
        assert await reason(caller.call("GET", at("nowhere.invalid", port))) in {"unreachable", "timeout"}
    async with client(PUBLIC_HTTP, resolver=gone) as caller:
        assert await reason(caller.call("GET", fold("http://a.example.com/", PUBLIC_HTTP))) == "refused"
