"""CPU and memory of the processes of an arm."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from cpu import cpu_s, postgres_cpu_s
from redis import Redis


def rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def redis_pid(url: str) -> int:
    with Redis.from_url(url) as redis:
        found: Any = redis.info("server")
        return int(found["process_id"])


async def server_settings(dsn: str) -> str:
    """What the figures were made with."""
    conn = await asyncpg.connect(dsn)
    names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
    shown = [f"{name} {await conn.fetchval('SELECT current_setting($1)', name)}" for name in names]
    await conn.close()
    return ", ".join(shown)


def database_of(dsn: str) -> str:
    return urlsplit(dsn).path[1:]


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


class Meter:
    """CPU seconds by part, so far. ``parts``: process ids by name; Postgres is found by the database's name."""

    def __init__(self, parts: dict[str, Iterable[int]], database: str) -> None:
        self._parts = {name: tuple(pids) for name, pids in parts.items()}
        self._database = database

    def __call__(self) -> dict[str, float]:
        found = {name: sum(map(cpu_s, pids)) for name, pids in self._parts.items()}
        return {**found, "postgres": postgres_cpu_s(self._database)}
