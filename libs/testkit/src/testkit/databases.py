"""A fresh database for a test: two roles and one schema of a service, migrated, thrown away afterwards.

As in production the role that serves owns nothing: a use case that wants more fails here. A service is migrated once a
session, into a template; each database is a copy of it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg

DROPS_AT_ONCE = 16
EXTENSIONS = ("pg_trgm", "unaccent", "btree_gist", "pgcrypto")
_PASSWORD = "test-only"  # noqa: S105 -- a role that lives as long as its test database


def with_database(dsn: str, database: str, *, user: str | None = None, password: str | None = None) -> str:
    """The same server, another database (and role)."""
    parts = urlsplit(dsn)
    host = f"{parts.hostname}:{parts.port}"
    credentials = f"{user}:{password}" if user else parts.netloc.rpartition("@")[0]
    return urlunsplit((parts.scheme, f"{credentials}@{host}", f"/{database}", "", ""))


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """One database with one service's schema in it."""

    service: str
    name: str
    dsn: str  # as the role that serves
    owner_dsn: str  # as the owner of the schema, who migrates
    admin_dsn: str  # as a superuser, for what a test looks at from outside


class Databases:
    """Makes and drops the databases of one test session."""

    def __init__(self, admin_dsn: str) -> None:
        self._admin_dsn = admin_dsn
        self._session = uuid.uuid4().hex[:8]
        self._numbers = itertools.count(1)
        self._templates: dict[str, str] = {}
        self._made: list[tuple[str, str]] = []

    async def create(self, service: str, *, environment: Mapping[str, str] | None = None) -> ServiceDatabase:
        """A migrated database of ``service``. ``environment`` is added for its ``migrate`` command."""
        template = self._templates.get(service)
        if template is None:
            template = await self.create_empty(service)
            await self.migrate(self._describe(service, template, self._role(service)), environment=environment)
            self._templates[service] = template
        name, role = self._new_name(service), self._role(service)
        async with _connected(self._admin_dsn) as conn:
            await conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            # Settings of a role in a database are not copied from a template.
            await _set_search_path(conn, role, name, service)
        self._made.append((name, role))
        return self._describe(service, name, role)

    async def create_unmigrated(self, service: str) -> ServiceDatabase:
        """What ``migrate`` finds the first time."""
        return self._describe(service, await self.create_empty(service), self._role(service))

    async def create_empty(self, service: str) -> str:
        """A database with the service's two roles and its empty schema; returns the database's name."""
        name, role = self._new_name(service), self._role(service)
        async with _connected(self._admin_dsn) as conn:
            for each in (role, _owner_of(role)):
                if not await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", each):
                    await conn.execute(f"CREATE ROLE \"{each}\" LOGIN PASSWORD '{_PASSWORD}'")
            await conn.execute(f'CREATE DATABASE "{name}"')
            await _set_search_path(conn, role, name, service)
        self._made.append((name, role))
        async with _connected(with_database(self._admin_dsn, name)) as conn:
            for extension in EXTENSIONS:
                await conn.execute(f'CREATE EXTENSION IF NOT EXISTS "{extension}" SCHEMA public')
            await conn.execute(f'CREATE SCHEMA "{service}" AUTHORIZATION "{_owner_of(role)}"')
            await conn.execute(f'GRANT USAGE ON SCHEMA "{service}" TO "{role}"')
        return name

    async def migrate(
        self, database: ServiceDatabase, to: str = "head", *, environment: Mapping[str, str] | None = None
    ) -> None:
        """Up or down to a revision, as its owner. ``environment``: what the service demands beside the usual."""
        service = database.service
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", service, "migrate", "--to", to),
            env={**os.environ, **placeholder_settings(service), **(environment or {}), **migrating(database)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{service} migrate failed:\n{output.decode()}")

    async def drop_all(self) -> None:
        """Drop what this session made, connections or not.

        Several at once: each drop waits for a checkpoint, and one checkpoint serves all that wait. One after the other
        hundreds took minutes on a busy machine.
        """
        turns = asyncio.Semaphore(DROPS_AT_ONCE)

        async def drop(name: str) -> None:
            async with turns, _connected(self._admin_dsn) as conn:
                await conn.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

        await asyncio.gather(*(drop(name) for name, _ in self._made))
        async with _connected(self._admin_dsn) as conn:
            for role in {role for _, role in self._made}:
                await conn.execute(f'DROP ROLE IF EXISTS "{role}", "{_owner_of(role)}"')

    def _new_name(self, service: str) -> str:
        """Counted, not drawn: of hundreds of short random names two are alike now and then."""
        return f"{self._role(service)}_{next(self._numbers)}"

    def _role(self, service: str) -> str:
        return f"t_{service}_{self._session}"

    def _describe(self, service: str, name: str, role: str) -> ServiceDatabase:
        return ServiceDatabase(
            service=service,
            name=name,
            dsn=with_database(self._admin_dsn, name, user=role, password=_PASSWORD),
            owner_dsn=with_database(self._admin_dsn, name, user=_owner_of(role), password=_PASSWORD),
            admin_dsn=with_database(self._admin_dsn, name),
        )


def placeholder_settings(service: str) -> dict[str, str]:
    """Settings every service demands, with values that suit a command which uses only its database."""
    prefix = service.upper()
    values = {
        "ENVIRONMENT": "test",
        "HTTP_PORT": "0",
        "OPS_PORT": "0",
        "DATABASE_DSN": "postgresql://unused@127.0.0.1:1/unused",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "JWKS_URL": "http://127.0.0.1:1/.well-known/jwks.json",
        "CURSOR_SECRET": "test-only-cursor-secret-of-32-bytes",
    }
    return {f"{prefix}_{key}": value for key, value in values.items()}


def migrating(database: ServiceDatabase) -> dict[str, str]:
    """Settings for a service's ``migrate`` on this database."""
    prefix = database.service.upper()
    return {f"{prefix}_DATABASE_DSN": database.dsn, f"{prefix}_DATABASE_OWNER_DSN": database.owner_dsn}


def _owner_of(role: str) -> str:
    return f"{role}_owner"


async def _set_search_path(conn: asyncpg.Connection, role: str, database: str, schema: str) -> None:
    for each in (role, _owner_of(role)):
        await conn.execute(f'ALTER ROLE "{each}" IN DATABASE "{database}" SET search_path = {schema}, public')


class _connected:  # noqa: N801 -- reads as a verb where it is used
    """``async with`` over one short-lived connection."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def __aenter__(self) -> asyncpg.Connection:
        self._conn = await asyncpg.connect(self._dsn)
        return self._conn

    async def __aexit__(self, *_: object) -> None:
        await self._conn.close()
