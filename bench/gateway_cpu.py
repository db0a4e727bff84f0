"""CPU of the gateway per request, and the latency it adds, beside the same Envoy proxying without any filter.

Arms, alternated round by round: `bare` (router only); `cached` and `uncached` (bare, plus token check and rate limits,
with and without the cache of verified tokens: the latter is one ES256 verification a request); `whole` (everything
the gateway does: also traces, access log, CORS, body limit, compression, header hygiene). CPU is Envoy's own, from
/proc. Goals, for what an arm adds to bare: cached ≤ 50 µs, uncached ≤ 110 µs; whole: p99 ≤ 5 ms.

    python bench/gateway_cpu.py [--rounds 5] [--requests 20000] [--connections 16]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from cpu import cpu_s
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.envoy.bootstrap import envoy_configuration
from gateway.envoy.filters import JWT, RATE_LIMIT, ROUTER
from gateway.envoy.process import envoy_executable
from gateway.envoy.typed import address, typed
from gateway.settings import Settings, Upstream
from gateway.table import load_table
from testkit.ports import free_port

PATH = "/v1/wallets"
BODY = b'{"items":[],"next_cursor":null}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
ENVOY_OPTIONS = ("--disable-hot-restart", "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error")
GOALS_US = {"cached": 50.0, "uncached": 110.0}


class Service(asyncio.Protocol):
    """The cheapest upstream that speaks HTTP/1.1: every service, its health and auth's keys."""

    keys = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._transport.write(self.keys if b"jwks.json" in head.split(b"\r\n", 1)[0] else ANSWER)


@dataclass(slots=True)
class Arm:
    """One Envoy under measurement."""

    name: str
    port: int
    request: bytes
    pid: int = 0
    cpu_us: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)


def serve(port: int, keys: str) -> None:
    """Child process: the upstream."""
    body = keys.encode()
    Service.keys = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Service, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(run())


def bare_configuration(port: int, admin_port: int, upstream_port: int) -> dict[str, Any]:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "service"}}
    manager = typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="bare",
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        http_filters=[typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")],
    )
    endpoint = {"endpoint": {"address": address("127.0.0.1", upstream_port)}}
    cluster = {
        "name": "service",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "service", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    listener = {"address": address("127.0.0.1", port), "filter_chains": [{"filters": [manager]}]}
    return {
        "admin": {"address": address("127.0.0.1", admin_port)},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }


def gateway_configuration(port: int, admin_port: int, upstream_port: int, folder: Path, arm: str) -> dict[str, Any]:
    table = load_table()
    settings = Settings(
        port=port,
        admin_port=admin_port,
        access_log_file=str(folder / f"access-{port}.log"),
        rate_per_s=1_000_000,
        rate_per_address_per_s=1_000_000,
    )
    upstreams = [Upstream(name, "127.0.0.1", upstream_port, upstream_port) for name in table.services]
    configuration = envoy_configuration(settings, table, upstreams, [])
    chain = configuration["static_resources"]["listeners"][0]["filter_chains"][0]
    manager = chain["filters"][0]["typed_config"]
    provider = next(item for item in manager["http_filters"] if item["name"] == JWT)["typed_config"]["providers"][
        "sampan"
    ]
    if arm == "uncached":
        del provider["jwt_cache_config"]
    if arm != "whole":
        _leave_token_and_limits(manager)
    return configuration


def _leave_token_and_limits(manager: dict[str, Any]) -> None:
    kept = {JWT, RATE_LIMIT, ROUTER}
    manager["http_filters"] = [item for item in manager["http_filters"] if item["name"] in kept]
    for part in ("access_log", "tracing", "early_header_mutation_extensions"):
        del manager[part]
    host = manager["route_config"]["virtual_hosts"][0]
    for holder in (host, *host["routes"]):
        per_filter = holder.get("typed_per_filter_config", {})
        holder["typed_per_filter_config"] = {name: own for name, own in per_filter.items() if name in kept}


@contextlib.contextmanager
def running(folder: Path, name: str, configuration: dict[str, Any]) -> Any:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(configuration))
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(envoy_executable()), "-c", str(path), *ENVOY_OPTIONS],
            stdout=log,
            stderr=log,
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


async def closed_loop(port: int, request: bytes, count: int, latencies_ms: list[float]) -> None:
    """One keep-alive connection that asks again as soon as it is answered. Anything but 200 ends the run."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        await reader.readexactly(length)
        latencies_ms.append((time.perf_counter() - began) * 1e3)
    writer.close()


async def measure(arm: Arm, requests: int, connections: int) -> None:
    latencies: list[float] = []
    before = cpu_s(arm.pid)
    each = requests // connections
    await asyncio.gather(*(closed_loop(arm.port, arm.request, each, latencies) for _ in range(connections)))
    arm.cpu_us.append((cpu_s(arm.pid) - before) / (each * connections) * 1e6)
    arm.latencies_ms.extend(latencies)


@contextlib.asynccontextmanager
async def arms(folder: Path) -> AsyncIterator[list[Arm]]:
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    keys = json.dumps({"keys": [key.as_dict(private=False) | {"alg": "ES256", "use": "sig"}]})
    now, upstream_port = int(time.time()), free_port()
    claims = {"iss": "sampan-auth", "aud": "sampan", "sub": str(uuid.uuid4()), "iat": now, "exp": now + 3600}
    token = jwt.encode({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}, claims, key)
    request = f"GET {PATH} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\n\r\n".encode()
    upstream = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", str(upstream_port), keys)
    made = [Arm(name, free_port(), request) for name in ("bare", "cached", "uncached", "whole")]
    try:
        with contextlib.ExitStack() as stack:
            for arm in made:
                configuration = (
                    bare_configuration(arm.port, free_port(), upstream_port)
                    if arm.name == "bare"
                    else gateway_configuration(arm.port, free_port(), upstream_port, folder, arm.name)
                )
                arm.pid = stack.enter_context(running(folder, arm.name, configuration))
            for arm in made:
                await answers(arm)
            yield made
    finally:
        upstream.terminate()
        await upstream.wait()


async def answers(arm: Arm) -> None:
    """Wait for the first 200: Envoy is up and has the keys."""
    deadline = time.monotonic() + 20
    while True:
        try:
            await closed_loop(arm.port, arm.request, 1, [])
        except (OSError, RuntimeError, asyncio.IncompleteReadError) as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{arm.name} does not answer") from error
            await asyncio.sleep(0.1)
        else:
            return


async def main(rounds: int, requests: int, connections: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with arms(Path(folder)) as made:
            for arm in made:
                await measure(arm, requests // 10, connections)
                arm.cpu_us.clear()
                arm.latencies_ms.clear()
            for _ in range(rounds):
                for arm in made:
                    await measure(arm, requests, connections)
    report(made, rounds, requests, connections)


def report(made: list[Arm], rounds: int, requests: int, connections: int) -> None:
    bare = made[0]
    bare_us, bare_p99 = statistics.median(bare.cpu_us), percentile(bare.latencies_ms, 0.99)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{rounds} rounds × {requests} requests an arm, {connections} connections, one Envoy worker; load {load}")
    print(
        f"{'arm':<10}{'CPU µs':>9}{'× bare':>9}{'added µs':>10}{'goal':>8}{'p50 ms':>9}{'p99 ms':>9}{'added p99':>11}"
    )
    for arm in made:
        cpu_us, p99 = statistics.median(arm.cpu_us), percentile(arm.latencies_ms, 0.99)
        goal = f"≤ {GOALS_US[arm.name]:.0f}" if arm.name in GOALS_US else "—"
        print(
            f"{arm.name:<10}{cpu_us:>9.1f}{cpu_us / bare_us:>9.2f}{cpu_us - bare_us:>10.1f}{goal:>8}"
            f"{percentile(arm.latencies_ms, 0.5):>9.2f}{p99:>9.2f}{p99 - bare_p99:>11.2f}"
        )


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]), sys.argv[3])
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--requests", type=int, default=20_000)
        parser.add_argument("--connections", type=int, default=16)
        given = parser.parse_args()
        uvloop.run(main(given.rounds, given.requests, given.connections))
