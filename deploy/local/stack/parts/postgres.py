"""PostgreSQL with PostGIS: one database, two roles and one schema per service, scram over loopback only.

Invariant: fsync and synchronous_commit stay on; what a service was told is committed survives a kill -9.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from stack import probe
from stack.account import Account, postgres_account
from stack.context import Context
from stack.failure import StackError
from stack.layout import private_write
from stack.part import Part
from stack.supervision import tool_environment

ADMIN = "postgres"
DATABASE = "sampan"
OLDEST_VERSION = 15


def postgres(context: Context) -> Part:
    home = context.layout.data / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    data = home / "cluster"
    bin_dir = binaries(data)
    port = context.ports["postgres"]
    account = postgres_account(home)

    def prepare() -> None:
        if not (data / "PG_VERSION").exists():
            _initdb(bin_dir, account, data, context.passwords["postgres-admin"])
        _configure(data, account, port)

    def finish() -> None:
        psql(context, bin_dir, "postgres", _database_sql())
        sql = (context.layout.checkout / "deploy" / "postgres" / "roles.sql").read_text(encoding="utf-8")
        roles, owners = _roles(context, "postgres"), _roles(context, "postgres-owner")
        psql(context, bin_dir, DATABASE, sql, SAMPAN_ROLES=roles, SAMPAN_OWNERS=owners)

    return Part(
        name="postgres",
        kind="infra",
        command=(*account.prefix, str(bin_dir / "postgres"), "-D", str(data)),
        directory=context.layout.data,
        ports=("postgres",),
        prepare=prepare,
        ready=lambda: probe.answers_postgres(bin_dir, port),
        finish=finish,
        stop_signal="INT",
        wish=f"127.0.0.1:{port}/{DATABASE}",
    )


def binaries(data: Path) -> Path:
    """The newest server with PostGIS; the one that made the data directory when there is one."""
    version = data / "PG_VERSION"
    pinned = version.read_text(encoding="ascii").strip() if version.exists() else None
    found = {
        int(path.parent.name): path
        for path in Path("/usr/lib/postgresql").glob("*/bin")
        if path.parent.name.isdigit() and (path / "postgres").exists() and _has_postgis(path.parent.name)
    }
    if pinned:
        if int(pinned) not in found:
            message = f"the data below {data} is of PostgreSQL {pinned}, which is not installed; `make reset` drops it."
            raise StackError(message)
        return found[int(pinned)]
    usable = [number for number in found if number >= OLDEST_VERSION]
    if not usable:
        message = (
            f"no PostgreSQL {OLDEST_VERSION} or newer with PostGIS in /usr/lib/postgresql; `make sync` installs it."
        )
        raise StackError(message)
    return found[max(usable)]


def psql(context: Context, bin_dir: Path, database: str, sql: str, **variables: str) -> str:
    """Run SQL as the administrator and return what it printed, unaligned. `variables` go into its environment."""
    command = [
        str(bin_dir / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1",
        "-h", "127.0.0.1", "-p", str(context.ports["postgres"]), "-U", ADMIN, "-d", database,
    ]  # fmt: skip
    password = context.passwords["postgres-admin"]
    environment = {**tool_environment(context), **variables, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5"}
    result = subprocess.run(command, input=sql, env=environment, check=False, capture_output=True, text=True)
    if result.returncode != 0:
        message = f"psql on {database}: {result.stderr.strip()}"
        raise StackError(message)
    return result.stdout


def _has_postgis(version: str) -> bool:
    return Path(f"/usr/share/postgresql/{version}/extension/postgis.control").exists()


def _initdb(bin_dir: Path, account: Account, data: Path, password: str) -> None:
    """Make the cluster beside its place and move it there whole, so that a killed initdb leaves nothing."""
    fresh, password_file = data.with_name("fresh"), data.with_name("password")
    if fresh.exists():
        shutil.rmtree(fresh)
    private_write(password_file, password)
    os.chown(password_file, account.uid, account.gid)
    command = [
        *account.prefix, str(bin_dir / "initdb"), "-D", str(fresh), "-U", ADMIN, "-A", "scram-sha-256",
        f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
    ]  # fmt: skip
    try:
        result = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
    finally:
        password_file.unlink()
    if result.returncode != 0:
        message = f"initdb: {result.stderr.strip() or result.stdout.strip()}"
        raise StackError(message)
    fresh.rename(data)


def _configure(data: Path, account: Account, port: int) -> None:
    settings = {
        "listen_addresses": "'127.0.0.1'",
        "port": port,
        "unix_socket_directories": "''",
        "max_connections": 300,
        "shared_buffers": "'256MB'",
        "max_wal_size": "'2GB'",
        "checkpoint_timeout": "'15min'",
        "fsync": "on",
        "synchronous_commit": "on",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "log_line_prefix": "'%m [%p] %q%u@%d %a '",
        "log_min_duration_statement": "'500ms'",
        "log_lock_waits": "on",
        "idle_in_transaction_session_timeout": "'60s'",
        "max_locks_per_transaction": 256,
    }
    text = "".join(f"{key} = {value}\n" for key, value in settings.items())
    _write_owned(data / "postgresql.conf", text, account)
    _write_owned(data / "pg_hba.conf", "host all all 127.0.0.1/32 scram-sha-256\n", account)


def _write_owned(path: Path, text: str, account: Account) -> None:
    private_write(path, text)
    os.chown(path, account.uid, account.gid)


def _database_sql() -> str:
    return (
        f"SELECT 'CREATE DATABASE {DATABASE}' WHERE NOT EXISTS "
        f"(SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n"
    )


def _roles(context: Context, kind: str) -> str:
    return json.dumps({service.name: context.passwords[f"{kind}-{service.name}"] for service in context.services})
