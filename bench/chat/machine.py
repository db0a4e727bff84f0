"""CPU and memory of the processes of an arm, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from redis import Redis

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """0 for a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def postgres_cpu_s(database: str) -> float:
    """Of the database's living backends and of the server's WAL writer, which others may use meanwhile."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if title.startswith("postgres:") and (f" {database} " in title or "walwriter" in title):
            total += cpu_s(int(folder.name))
    return total


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
