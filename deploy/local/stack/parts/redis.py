"""Redis with an append-only file, on loopback, with one user per service.

What each may do is `deploy/redis/users.acl`; the default user is off.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from stack import probe
from stack.context import Context
from stack.failure import StackError
from stack.layout import private_write
from stack.part import Part

ADMIN, PROBE = "admin", "probe"


def redis(context: Context) -> Part:
    port = context.ports["redis"]
    data = context.layout.data / "redis"
    configuration, users = context.layout.conf / "redis.conf", context.layout.conf / "redis-users.acl"

    def prepare() -> None:
        data.mkdir(parents=True, exist_ok=True)
        private_write(users, render_users(context))
        private_write(configuration, _render(port, users, data))

    def finish() -> None:
        """Load the users again when they changed since the server was started."""
        wanted = render_users(context)
        if users.read_text(encoding="utf-8") != wanted:
            private_write(users, wanted)
            if not probe.tell_redis(port, ADMIN, context.passwords[f"redis-{ADMIN}"], "ACL LOAD", b"+OK\r\n+OK"):
                message = f"Redis does not take the users of {users}"
                raise StackError(message)

    return Part(
        name="redis",
        kind="infra",
        command=(server(context.layout.checkout), str(configuration)),
        directory=context.layout.data,
        ports=("redis",),
        prepare=prepare,
        ready=lambda: probe.answers_redis(port, PROBE, context.passwords[f"redis-{PROBE}"]),
        finish=finish,
        wish=f"127.0.0.1:{port}",
    )


def render_users(context: Context) -> str:
    """The users' file with a digest for each password."""
    template = (context.layout.checkout / "deploy" / "redis" / "users.acl").read_text(encoding="utf-8")
    text = "".join(f"{line}\n" for line in template.splitlines() if not line.startswith("#"))
    for name in (ADMIN, PROBE, *(service.name for service in context.services)):
        digest = hashlib.sha256(context.passwords[f"redis-{name}"].encode()).hexdigest()
        text = text.replace(f"@{name}@", f"#{digest}")
    return text


def server(checkout: Path) -> str:
    """The server's path: on PATH, or the name under `.local/bin` that `make sync` gives Debian's binary."""
    own = checkout / ".local" / "bin" / "redis-server"
    found = shutil.which("redis-server") or (str(own) if own.exists() else None)
    if found is None:
        message = "redis-server is not installed; `make sync` installs it."
        raise StackError(message)
    return found


def _render(port: int, users: Path, data: Path) -> str:
    return f"""\
bind 127.0.0.1
port {port}
aclfile "{users}"
dir "{data}"
appendonly yes
appendfsync everysec
save ""
daemonize no
databases 1024
maxmemory-policy noeviction
"""
