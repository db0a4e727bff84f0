"""A real Envoy from the wheel in front of small upstreams, with tokens signed by a real ES256 key."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.envoy.process import envoy_executable
from gateway.render import render
from gateway.settings import Settings
from gateway.table import RouteTable, load_table
from testkit.ports import free_ports
from testkit.wait import eventually


@dataclass
class Upstreams:
    """One server that plays every service, tells what reached it, and misbehaves on request."""

    key: ECKey
    port: int = 0
    seen: list[dict] = field(default_factory=list)
    ready: bool = True

    def app(self) -> web.Application:
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_get("/.well-known/jwks.json", self.jwks)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/v1/realtime", self.socket)
        app.router.add_route("*", "/{tail:.*}", self.anything)
        return app

    async def jwks(self, _: web.Request) -> web.Response:
        public = self.key.as_dict(private=False) | {"kid": "k1", "alg": "ES256", "use": "sig"}
        return web.json_response({"keys": [public]})

    async def readyz(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async for message in answer:
            await answer.send_str(f"echo {message.data}")
        return answer

    async def anything(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append(
            {
                "method": request.method,
                "path": request.path_qs,
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "bytes": len(body),
            }
        )
        act = request.query.get("act", "")
        if act == "reset":
            request.transport.abort()
        elif act == "sleep":
            await asyncio.sleep(float(request.query["s"]))
        elif act == "large":
            return web.json_response({"filler": "x" * 4000}, headers={"ETag": '"1-large"'})
        return web.json_response({"ok": True})

    def requests_to(self, path: str) -> list[dict]:
        return [request for request in self.seen if request["path"].split("?")[0] == path]


@dataclass
class Gateway:
    """A running Envoy and what is needed to talk to it."""

    url: str
    admin_port: int
    upstreams: Upstreams
    log: Path
    process: asyncio.subprocess.Process

    def token(self, *, key: ECKey | None = None, header: dict | None = None, **claims: object) -> str:
        now = int(time.time())
        body = {
            "iss": "sampan-auth",
            "aud": "sampan",
            "sub": str(uuid.uuid4()),
            "sid": str(uuid.uuid4()),
            "jti": uuid.uuid4().hex,
            "iat": now,
            "exp": now + 900,
            **claims,
        }
        body = {name: value for name, value in body.items() if value is not None}
        return jwt.encode(
            {"alg": "ES256", "kid": "k1", "typ": "at+jwt"} | (header or {}), body, key or self.upstreams.key
        )

    def bearer(self, **claims: object) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(**claims)}"}

    async def log_lines(self, path: str, count: int = 1) -> list[dict]:
        def read() -> list[dict]:
            lines = [json.loads(line) for line in self.log.read_text().splitlines()]
            found = [line for line in lines if line["path"] == path]
            return found if len(found) >= count else []

        return await eventually(read, what=f"access log of {path}")


@pytest.fixture(scope="session")
def signing_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "k1"})


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[int]:
    runner = web.AppRunner(app, keepalive_timeout=75)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running_gateway(
    folder: Path, upstreams: Upstreams, *, table: RouteTable | None = None, **settings: object
) -> AsyncIterator[Gateway]:
    """Render, start, wait until it answers; stop at the end."""
    table = table or load_table()
    (port, admin_port), log = free_ports(2), folder / "access.log"
    environ = {
        f"GATEWAY_{name.upper()}_{kind}": str(upstreams.port)
        for name in table.services
        for kind in ("PORT", "OPS_PORT")
    }
    environ |= {key: str(value) for key, value in settings.pop("environ", {}).items()}
    made = Settings(port=port, admin_port=admin_port, access_log_file=str(log), **settings)
    configuration = folder / "envoy.yaml"
    render(configuration, table, made, environ)
    with (folder / "envoy.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            str(envoy_executable()),
            "-c",
            str(configuration),
            *(
                "--disable-hot-restart",
                "--concurrency",
                "1",
                "--log-level",
                "warning",
                "--file-flush-interval-msec",
                "50",
            ),
            *("--use-dynamic-base-id",),
            stdout=output,
            stderr=output,
        )
    scheme = "https" if made.tls_certificate_file else "http"
    gateway = Gateway(f"{scheme}://127.0.0.1:{port}", admin_port, upstreams, log, process)
    try:
        await eventually(lambda: _serves(gateway), timeout_s=40, what=f"Envoy ready, see {folder}/envoy.log")
        yield gateway
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _serves(gateway: Gateway) -> bool:
    """Envoy is live and has the keys: both come asynchronously."""
    if gateway.process.returncode is not None:
        pytest.fail(f"Envoy ended: {(gateway.log.parent / 'envoy.log').read_text()}")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{gateway.admin_port}/ready") as answer:
            if answer.status != 200:
                return False
        stats = f"http://127.0.0.1:{gateway.admin_port}/stats?filter=jwks_fetch_success"
        async with session.get(stats) as answer:
            return "jwks_fetch_success: 0" not in await answer.text()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def upstreams(signing_key: ECKey) -> AsyncIterator[Upstreams]:
    made = Upstreams(signing_key)
    async with served(made.app()) as port:
        made.port = port
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(upstreams: Upstreams, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    async with running_gateway(folder, upstreams, cors_origins=("https://app.example.com",)) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def client(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(gateway.url) as session:
        yield session


@pytest.fixture
def start_gateway() -> Callable[..., object]:
    return running_gateway
