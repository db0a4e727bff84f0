"""Synapse as an arm: from PyPI into an environment of its own, on the same Postgres, its rate limits off.

Everything else is as its defaults have it: one process, presence on, push rules evaluated for every member.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import asyncpg
from peers.environment import python_of

from chat.machine import Meter
from testkit.databases import with_database
from testkit.infra import local_infra
from testkit.ports import free_port
from testkit.wait import eventually

_SECRET = secrets.token_hex(16)
_UNLIMITED = {"per_second": 100_000, "burst_count": 100_000}
_JOINS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Synapse:
    port: int
    pid: int
    database: str
    session: aiohttp.ClientSession

    @property
    def meter(self) -> Meter:
        return Meter({"node": [self.pid]}, self.database)

    async def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == 200, (path, answer.status, text)
            return json.loads(text)

    async def register(self) -> str:
        """A new user's access token."""
        path = "/_synapse/admin/v1/register"
        nonce = (await self.call("GET", path))["nonce"]
        name, password = f"u{uuid.uuid4().hex}", "bench"
        said = f"{nonce}\0{name}\0{password}\0notadmin".encode()
        mac = hmac.new(_SECRET.encode(), said, hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": password, "admin": False, "mac": mac}
        return str((await self.call("POST", path, body))["access_token"])

    async def room(self, members: int) -> tuple[str, list[str]]:
        """A room and its members' tokens."""
        tokens = [await self.register() for _ in range(members)]
        made = await self.call("POST", "/_matrix/client/v3/createRoom", {"preset": "public_chat"}, tokens[0])
        room_id, gate = str(made["room_id"]), asyncio.Semaphore(_JOINS_AT_ONCE)

        async def join(token: str) -> None:
            async with gate:
                await self.call("POST", f"/_matrix/client/v3/join/{quote(room_id, safe='')}", {}, token)

        await asyncio.gather(*(join(each) for each in tokens[1:]))
        return room_id, tokens


@asynccontextmanager
async def synapse() -> AsyncIterator[Synapse]:
    """Raises ``Absent``."""
    python = await asyncio.to_thread(python_of, "synapse")
    admin_dsn, database = local_infra().postgres_admin_dsn, f"bench_synapse_{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(admin_dsn)
    await admin.execute(
        f"CREATE DATABASE \"{database}\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    try:
        with tempfile.TemporaryDirectory() as name:
            folder, port = Path(name), free_port()
            (folder / "homeserver.yaml").write_text(json.dumps(_configuration(folder, port, database)))
            (folder / "log.yaml").write_text(json.dumps(_logging(folder)))
            with (folder / "out.log").open("wb") as log:
                command = [str(python), "-m", "synapse.app.homeserver", "-c", str(folder / "homeserver.yaml")]
                made = await asyncio.create_subprocess_exec(
                    *command, "--generate-keys", cwd=folder, stdout=log, stderr=log
                )
                assert await made.wait() == 0, (folder / "out.log").read_text()[-3000:]
                process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=log, stderr=log)
            async with aiohttp.ClientSession() as session:
                try:
                    server = Synapse(port, process.pid, database, session)
                    path = "/_matrix/client/versions"
                    await eventually(lambda: server.call("GET", path), timeout_s=90, every_s=0.3, what="Synapse")
                    yield server
                except AssertionError:
                    print((folder / "out.log").read_text()[-3000:], file=sys.stderr)
                    raise
                finally:
                    process.kill()
                    await process.wait()
    finally:
        await admin.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
        await admin.close()


def _configuration(folder: Path, port: int, database: str) -> dict[str, Any]:
    """YAML is a superset of the JSON this is written as."""
    dsn = urlsplit(with_database(local_infra().postgres_admin_dsn, database))
    limits = ("rc_message", "rc_registration", "rc_admin_redaction", "rc_joins_per_room", "rc_room_creation")
    return {
        "server_name": "bench.test",
        "pid_file": str(folder / "synapse.pid"),
        "listeners": [
            {"port": port, "type": "http", "bind_addresses": ["127.0.0.1"], "resources": [{"names": ["client"]}]}
        ],
        "database": {
            "name": "psycopg2",
            "args": {
                "user": dsn.username,
                "password": dsn.password,
                "dbname": database,
                "host": dsn.hostname,
                "port": dsn.port,
                "cp_min": 5,
                "cp_max": 10,
            },
        },
        "log_config": str(folder / "log.yaml"),
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "registration_shared_secret": _SECRET,
        "macaroon_secret_key": _SECRET,
        "form_secret": _SECRET,
        "trusted_key_servers": [],
        "report_stats": False,
        "bcrypt_rounds": 4,
        **dict.fromkeys(limits, _UNLIMITED),
        "rc_joins": {"local": _UNLIMITED, "remote": _UNLIMITED},
        "rc_login": {"address": _UNLIMITED, "account": _UNLIMITED, "failed_attempts": _UNLIMITED},
        "rc_invites": {"per_room": _UNLIMITED, "per_user": _UNLIMITED, "per_issuer": _UNLIMITED},
    }


def _logging(folder: Path) -> dict[str, Any]:
    handler = {"class": "logging.FileHandler", "filename": str(folder / "synapse.log")}
    return {"version": 1, "handlers": {"file": handler}, "root": {"level": "WARNING", "handlers": ["file"]}}
