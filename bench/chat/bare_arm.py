"""The bare server as a process, with a database of its own on the same Postgres."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from chat.machine import Meter, database_of
from testkit.databases import Databases, with_database
from testkit.infra import local_infra
from testkit.ports import free_port
from testkit.wait import eventually


@dataclass(frozen=True, slots=True)
class Bare:
    port: int
    pid: int
    dsn: str

    @property
    def meter(self) -> Meter:
        return Meter({"node": [self.pid]}, database_of(self.dsn))

    async def room(self) -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{self.port}/v1/dialogs") as answer,
        ):
            return str((await answer.json())["dialog_id"])


@asynccontextmanager
async def bare() -> AsyncIterator[Bare]:
    admin_dsn = local_infra().postgres_admin_dsn
    databases, admin = Databases(admin_dsn), urlsplit(admin_dsn)
    try:
        name = await databases.create_empty("bare")
        dsn = with_database(admin_dsn, name, user=admin.username, password=admin.password)
        port = free_port()
        server = str(Path(__file__).with_name("bare.py"))
        process = await asyncio.create_subprocess_exec(sys.executable, server, str(port), dsn)
        try:
            made = Bare(port, process.pid, dsn)
            await eventually(made.room, timeout_s=20, every_s=0.1, what="the bare server answers")
            yield made
        finally:
            process.kill()
            await process.wait()
    finally:
        await databases.drop_all()
