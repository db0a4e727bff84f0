"""The messaging service under load: nodes, and beside them relay and consumers, as processes on a database of its own.

Settings differ from the defaults in one thing: limits per person and connection are so high that the load meets none,
while all are checked.
"""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from chat.machine import Meter, database_of, redis_pid
from eventing import KafkaConfig
from gateway.envoy.bootstrap import envoy_configuration
from gateway.envoy.process import envoy_executable
from gateway.settings import Settings, Upstream
from gateway.table import load_table
from testkit.databases import Databases
from testkit.infra import Infra, local_infra
from testkit.issuer import TokenIssuer
from testkit.ports import free_ports
from testkit.processes import Child
from testkit.topics import create_topics
from testkit.wait import eventually

KEY = base64.b64encode(b"k" * 32).decode()
TOKEN_LIFE_S = 7200
NO_LIMIT = 1_000_000
_MEMBERS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Node:
    """One http role."""

    child: Child
    port: int
    ops_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(slots=True, kw_only=True)
class Ours:
    """Everything of the arm. ``gateway_port`` 0: no gateway."""

    nodes: Sequence[Node]
    others: Sequence[Child]
    dsn: str
    owner_dsn: str
    issuer: TokenIssuer
    session: aiohttp.ClientSession
    redis_pid: int
    environment: dict[str, str]
    gateway_port: int = 0
    gateway_pid: int = 0
    people: list[uuid.UUID] = field(default_factory=list)

    @property
    def meter(self) -> Meter:
        parts: dict[str, Any] = {"node": [each.child.pid for each in self.nodes], "redis": [self.redis_pid]}
        if self.others:
            parts["relay+consume"] = [each.pid for each in self.others]
        if self.gateway_pid:
            parts["gateway"] = [self.gateway_pid]
        return Meter(parts, database_of(self.dsn))

    def token(self, user_id: uuid.UUID) -> str:
        return self.issuer.token_for(user_id, lifetime_s=TOKEN_LIFE_S)

    async def call(self, method: str, path: str, token: str, body: Any = None, *, node: int = 0) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
        async with self.session.request(method, self.nodes[node].url + path, json=body, headers=headers) as answer:
            assert answer.status < 300, (answer.status, await answer.text())
            return await answer.json() if answer.status != 204 else None

    async def invent_people(self, count: int) -> list[uuid.UUID]:
        """Accounts, as events of auth would have made them."""
        made = [uuid.uuid4() for _ in range(count)]
        conn = await asyncpg.connect(self.dsn)
        await conn.copy_records_to_table(
            "account", records=[(each, 1, "Bench") for each in made], columns=["user_id", "version", "display_name"]
        )
        await conn.close()
        self.people += made
        return made

    async def group(self, members: Sequence[uuid.UUID], kind: str = "group") -> str:
        """A dialog of the first with the others."""
        owner = self.token(members[0])
        first = [str(each) for each in members[1:_MEMBERS_AT_ONCE]]
        made = await self.call("POST", "/v1/dialogs", owner, {"kind": kind, "user_ids": first, "title": "bench"})
        dialog_id = str(made["dialog_id"])
        for start in range(_MEMBERS_AT_ONCE, len(members), _MEMBERS_AT_ONCE):
            more = [str(each) for each in members[start : start + _MEMBERS_AT_ONCE]]
            await self.call("POST", f"/v1/dialogs/{dialog_id}/members", owner, {"user_ids": more})
        return dialog_id


@asynccontextmanager
async def ours(*, nodes: int = 1, gateway: bool = False, whole: bool = True) -> AsyncIterator[Ours]:
    """``whole``: relay and consumers too, so that records go to Kafka, words are indexed and activity is noted."""
    infra = local_infra()
    databases = Databases(infra.postgres_admin_dsn)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.push_async_callback(databases.drop_all)
        own = {
            "MESSAGING_KEY_ENCRYPTION_KEY": KEY,
            "MESSAGING_OBJECTS_DIR": str(folder),
            "MESSAGING_SCANNER_HOST": "127.0.0.1",
        }
        database = await databases.create("messaging", environment=own)
        kafka = KafkaConfig(
            bootstrap=infra.kafka_bootstrap,
            username=infra.kafka_username,
            password=infra.kafka_password,
            topic_prefix=f"b{uuid.uuid4().hex[:10]}.",
            client_id="bench",
        )
        if whole:
            await stack.enter_async_context(create_topics(kafka))
        issuer = await stack.enter_async_context(TokenIssuer.serve())
        environment = _environment(infra, kafka, database.dsn, issuer.jwks_url, folder)
        started = [await _start(stack, environment, folder, "http") for _ in range(nodes)]
        roles = ("relay", "consume") if whole else ()
        others = [(await _start(stack, environment, folder, role)).child for role in roles]
        made = Ours(
            nodes=started,
            others=others,
            dsn=database.dsn,
            owner_dsn=database.owner_dsn,
            issuer=issuer,
            session=await stack.enter_async_context(aiohttp.ClientSession()),
            redis_pid=redis_pid(infra.redis_url),
            environment=environment,
        )
        if gateway:
            made.gateway_port, made.gateway_pid = await _gateway(stack, made, folder)
        yield made


async def _start(stack: AsyncExitStack, environment: dict[str, str], folder: Path, role: str) -> Node:
    port, ops_port = free_ports(2)
    ports = {"MESSAGING_HTTP_PORT": str(port), "MESSAGING_OPS_PORT": str(ops_port)}
    child = Child("messaging", role, environment={**environment, **ports}, log=folder / f"{role}-{port}.log")
    await stack.enter_async_context(child)
    try:
        await child.ready(ops_port, timeout_s=60)
    except AssertionError:
        print(child.log.read_text()[-2000:])
        raise
    return Node(child, port, ops_port)


def _environment(infra: Infra, kafka: KafkaConfig, dsn: str, jwks_url: str, folder: Path) -> dict[str, str]:
    values = {
        "environment": "test",
        "http_port": 0,
        "ops_port": 0,
        "database_dsn": dsn,
        "redis_url": infra.redis_url,
        "kafka_bootstrap": kafka.bootstrap,
        "kafka_username": kafka.username or "",
        "kafka_password": kafka.password or "",
        "kafka_topic_prefix": kafka.topic_prefix,
        "jwks_url": jwks_url,
        "cursor_secret": "bench-only-cursor-secret-of-32-bytes",
        "key_encryption_key": KEY,
        "objects_dir": folder,
        "scanner_host": "127.0.0.1",
        "log_level": "warning",
        "trace_sample_ratio": 0.05,
        "sends_per_minute": NO_LIMIT,
        "dialog_sends_per_minute": NO_LIMIT,
        "realtime_frames_per_s": NO_LIMIT,
        "realtime_frames_burst": NO_LIMIT,
    }
    return {f"MESSAGING_{name.upper()}": str(value) for name, value in values.items()}


async def _gateway(stack: AsyncExitStack, made: Ours, folder: Path) -> tuple[int, int]:
    """Envoy as the gateway configures it, before the first node. Returns its port and process."""
    table = load_table()
    node, (port, admin_port) = made.nodes[0], free_ports(2)
    settings = Settings(
        port=port,
        admin_port=admin_port,
        access_log_file=str(folder / "access.log"),
        rate_per_s=NO_LIMIT,
        rate_per_address_per_s=NO_LIMIT,
    )
    auth_port = int(made.issuer.jwks_url.split(":")[2].split("/")[0])
    upstreams = [
        Upstream(name, "127.0.0.1", auth_port if name == "auth" else node.port, node.ops_port)
        for name in table.services
    ]
    path = folder / "envoy.json"
    path.write_text(json.dumps(envoy_configuration(settings, table, upstreams, [])))
    command = [str(envoy_executable()), "-c", str(path), "--disable-hot-restart", "--use-dynamic-base-id"]
    with (folder / "envoy.log").open("wb") as log:
        command += ["--concurrency", "1", "--log-level", "error"]
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    stack.push_async_callback(process.wait)
    stack.callback(process.terminate)
    [someone] = await made.invent_people(1)

    async def answers() -> bool:
        headers = {"Authorization": f"Bearer {made.token(someone)}"}
        async with made.session.get(f"http://127.0.0.1:{port}/v1/dialogs", headers=headers) as answer:
            return answer.status == 200

    await eventually(answers, timeout_s=30, every_s=0.2, what="the gateway answers")
    return port, process.pid
