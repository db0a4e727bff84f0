"""Redis with an append-only file and a password, on loopback."""

from __future__ import annotations

import shutil
from pathlib import Path

from stack import probe
from stack.context import Context
from stack.failure import StackError
from stack.layout import private_write
from stack.part import Part


def redis(context: Context) -> Part:
    port, password = context.ports["redis"], context.passwords["redis"]
    data = context.layout.data / "redis"
    configuration = context.layout.conf / "redis.conf"

    def prepare() -> None:
        data.mkdir(parents=True, exist_ok=True)
        private_write(configuration, _render(port, password, data))

    return Part(
        name="redis",
        kind="infra",
        command=(server(context.layout.checkout), str(configuration)),
        directory=context.layout.data,
        ports=("redis",),
        prepare=prepare,
        ready=lambda: probe.answers_redis(port, password),
        wish=f"127.0.0.1:{port}",
    )


def server(checkout: Path) -> str:
    """The server's path: on PATH, or the name under `.local/bin` that `make sync` gives Debian's binary."""
    own = checkout / ".local" / "bin" / "redis-server"
    found = shutil.which("redis-server") or (str(own) if own.exists() else None)
    if found is None:
        message = "redis-server is not installed; `make sync` installs it."
        raise StackError(message)
    return found


def _render(port: int, password: str, data: Path) -> str:
    return f"""\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{data}"
appendonly yes
appendfsync everysec
save ""
daemonize no
databases 1024
maxmemory-policy noeviction
"""
