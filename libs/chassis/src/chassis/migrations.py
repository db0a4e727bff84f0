"""Migrations: Alembic in the service's own schema, one runner at a time.

Invariant: only the holder of the schema's advisory lock migrates; a statement that cannot get its lock soon gives
up instead of queueing every other query behind it, and the migration is tried again. So a migration that leaves its
transaction (``autocommit_block``, for CREATE INDEX CONCURRENTLY) does only that, and can be run twice.

It connects as the owner of the schema (``…_DATABASE_OWNER_DSN``), never as the role that serves, and ends by giving
that role what ``chassis.rights`` says. A service's ``migrations/env.py`` is a few lines::

    from chassis.migrations import run
    from chassis.rights import Rights

    run(Rights(append_only=("posting",)))
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg
import structlog
from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.rights import VERSION_TABLE, Rights, apply, role_of
from chassis.settings import EXIT_CONFIG, ServiceSettings
from kernel.backoff import BackoffPolicy

log = structlog.get_logger()

LOCK_TIMEOUT_S: Final = 4.0
ATTEMPTS_MAX: Final = 8
LOCK_WAIT_S: Final = 120.0
_ASK_AGAIN_S: Final = 0.2
_AGAIN: Final = BackoffPolicy(first_s=0.5, cap_s=10.0)


def run(rights: Rights, *, session: Mapping[str, str] | None = None) -> None:
    """What ``env.py`` calls: run the migrations on the connection the runner has opened, or write their SQL.

    The runner gives ``rights`` to the role that serves, once all migrations are in. ``session``: settings that policies
    ask for, so that every row is seen. The owner is subject to forced policies: without them an UPDATE changes nothing
    and says nothing.
    """
    context.config.attributes["rights"] = rights
    schema: str = context.config.attributes["schema"]
    options: dict[str, Any] = {
        "version_table": VERSION_TABLE,
        "version_table_schema": schema,
        "transaction_per_migration": True,
    }
    if context.is_offline_mode():
        context.configure(
            dialect_name="postgresql",
            output_buffer=context.config.attributes["output"],
            literal_binds=True,
            dialect_opts={"paramstyle": "named"},
            **options,
        )
    else:
        connection: Connection = context.config.attributes["connection"]
        for name, value in (session or {}).items():
            connection.execute(text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value})
        connection.commit()
        context.configure(connection=connection, **options)
    with context.begin_transaction():
        context.run_migrations()


async def upgrade(settings: ServiceSettings, folder: Path, *, to: str = "head") -> str:
    """Migrate to ``to`` (a revision, ``head``, ``-1``, ``base``). Returns the revision it is at afterwards."""
    dsn, schema = owner_dsn(settings), settings.database_schema
    runtime = role_of(settings.database_dsn.get_secret_value())
    guard = await _connect(dsn, settings.startup_timeout_s)
    try:
        await _take_lock(guard, _lock_of(schema))
        if not await guard.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema):
            await guard.execute(f'CREATE SCHEMA "{schema}"')
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                rights = await _migrate(dsn, schema, folder, to)
                break
            except DBAPIError as error:
                if attempt == ATTEMPTS_MAX or not _is_lock_timeout(error):
                    raise
                log.warning("migrate.lock_timeout", attempt=attempt, attempts_max=ATTEMPTS_MAX)
                await asyncio.sleep(_AGAIN.wait_s(attempt))
        revisions = await _revisions(guard, schema)
        await apply(guard, schema, runtime, rights, empty=not revisions)
        return ", ".join(revisions) or "base"
    finally:
        await guard.close()


def owner_dsn(settings: ServiceSettings) -> str:
    """Whom to migrate as. Ends the process, naming the variable, when that is nobody or the role that serves."""
    variable = f"{settings.service_name()}_database_owner_dsn".upper()
    if settings.database_owner_dsn is None:
        sys.stderr.write(f"{variable} is missing.\n")
        raise SystemExit(EXIT_CONFIG)
    dsn = settings.database_owner_dsn.get_secret_value()
    if role_of(dsn) == role_of(settings.database_dsn.get_secret_value()):
        sys.stderr.write(f"{variable} is wrong: it names the role that serves, which may own nothing.\n")
        raise SystemExit(EXIT_CONFIG)
    return dsn


async def pending(settings: ServiceSettings, folder: Path) -> list[str]:
    """Revisions that this database does not have yet, in order. It waits for nobody and changes nothing."""
    conn = await _connect(settings.database_dsn.get_secret_value(), settings.startup_timeout_s)
    try:
        have = await _revisions(conn, settings.database_schema)
    finally:
        await conn.close()
    script = ScriptDirectory.from_config(_config(folder, settings.database_schema))
    done = {each.revision for head in have for each in script.iterate_revisions(head, "base")}
    return [each.revision for each in reversed(list(script.walk_revisions())) if each.revision not in done]


def write_sql(folder: Path, schema: str, output: Any = sys.stdout) -> None:
    """The SQL of every migration, without a connection: for a linter or a reviewer."""
    config = _config(folder, schema)
    config.attributes["output"] = output
    command.upgrade(config, "head", sql=True)


async def _take_lock(guard: asyncpg.Connection, number: int) -> None:
    """Take the advisory lock, asking again and again: one who waits inside a statement holds a snapshot, for which
    CREATE INDEX CONCURRENTLY of the lock's holder would wait in turn. Raises ``TimeoutError``.
    """
    async with asyncio.timeout(LOCK_WAIT_S):
        while not await guard.fetchval("SELECT pg_try_advisory_lock($1)", number):  # noqa: ASYNC110 -- another process
            await asyncio.sleep(_ASK_AGAIN_S)


async def _migrate(dsn: str, schema: str, folder: Path, to: str) -> Rights:
    engine = create_async_engine(
        dsn.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+asyncpg://", 1),
        poolclass=NullPool,
        connect_args={
            "statement_cache_size": 0,
            "server_settings": {
                "application_name": f"sampan-{schema}-migrate",
                "search_path": f"{schema}, public",
                "timezone": "UTC",
                "lock_timeout": str(int(LOCK_TIMEOUT_S * 1000)),
                "statement_timeout": "0",
            },
        },
    )
    try:
        async with engine.connect() as conn:
            await conn.execute(text("SELECT 1"))
            await conn.rollback()
            return await conn.run_sync(_run_alembic, schema, folder, to)
    finally:
        await engine.dispose()


def _run_alembic(connection: Connection, schema: str, folder: Path, to: str) -> Rights:
    config = _config(folder, schema)
    config.attributes["connection"] = connection
    if to == "base" or to.startswith("-") or _is_behind(connection, config, to):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)
    rights: Rights = config.attributes["rights"]
    return rights


def _is_behind(connection: Connection, config: Config, to: str) -> bool:
    """Whether ``to`` is a revision this database has left behind."""
    options = {"version_table": VERSION_TABLE, "version_table_schema": config.attributes["schema"]}
    heads = MigrationContext.configure(connection, opts=options).get_current_heads()
    connection.rollback()
    script = ScriptDirectory.from_config(config)
    before = {each.revision for head in heads for each in script.iterate_revisions(head, "base")} - set(heads)
    return to in before


def _config(folder: Path, schema: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["schema"] = schema
    return config


async def _connect(dsn: str, timeout_s: float) -> asyncpg.Connection:
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        try:
            return await asyncpg.connect(dsn, timeout=5)
        except (OSError, asyncpg.CannotConnectNowError):
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.5)


async def _revisions(conn: asyncpg.Connection, schema: str) -> list[str]:
    if await conn.fetchval("SELECT to_regclass($1)", f"{schema}.{VERSION_TABLE}") is None:
        return []
    rows = await conn.fetch(f"SELECT version_num FROM {schema}.{VERSION_TABLE}")
    return [row["version_num"] for row in rows]


def _lock_of(schema: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"migrate {schema}".encode(), digest_size=8).digest(), signed=True)


def _is_lock_timeout(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == "55P03"
