"""A small service of two tables, with its own database, over the chassis."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
import pytest_asyncio

from chassis import idempotency
from chassis.postgres import Database
from chassis.settings import ServiceSettings
from testkit.databases import with_database
from testkit.issuer import TokenIssuer

ROLE = f"t_chassis_{uuid.uuid4().hex[:8]}"


def settings_for(dsn: str, redis_url: str = "redis://127.0.0.1:1/0", **overrides: object) -> ServiceSettings:
    values: dict[str, object] = {
        "environment": "test",
        "http_port": 0,
        "ops_port": 0,
        "database_dsn": dsn,
        "database_schema": "shop",
        "redis_url": redis_url,
        "kafka_bootstrap": "127.0.0.1:1",
        "jwks_url": "http://127.0.0.1:1/jwks.json",
        "cursor_secret": "a-secret-of-enough-characters",
        "startup_timeout_s": 0,
    }
    return ServiceSettings(**{**values, **overrides})


@pytest.fixture(scope="session")
def shop_settings() -> Callable[..., ServiceSettings]:
    """``shop_settings(dsn, **overrides)``."""
    return settings_for


@pytest.fixture
def issuer() -> TokenIssuer:
    return TokenIssuer()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chassis_dsn(postgres_admin_dsn: str) -> AsyncIterator[str]:
    """A database with a role that owns the schema ``shop`` and nothing else."""
    admin = await asyncpg.connect(postgres_admin_dsn)
    try:
        await admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'test-only'")
        await admin.execute(f"CREATE DATABASE {ROLE}")
        inside = await asyncpg.connect(with_database(postgres_admin_dsn, ROLE))
        await inside.execute(f"CREATE SCHEMA shop AUTHORIZATION {ROLE}")
        await inside.close()
        dsn = with_database(postgres_admin_dsn, ROLE, user=ROLE, password="test-only")
        owner = await asyncpg.connect(dsn)
        for statement in idempotency.upgrade("shop"):
            await owner.execute(statement)
        await owner.execute("CREATE TABLE shop.thing (id uuid PRIMARY KEY, user_id uuid NOT NULL, name text NOT NULL)")
        await owner.execute("ALTER TABLE shop.thing ENABLE ROW LEVEL SECURITY")
        await owner.execute("ALTER TABLE shop.thing FORCE ROW LEVEL SECURITY")
        await owner.execute(
            "CREATE POLICY own_rows ON shop.thing"
            " USING (coalesce(current_setting('sampan.user_id', true), '') IN ('', user_id::text))"
        )
        await owner.close()
        yield dsn
    finally:
        await admin.close()
        admin = await asyncpg.connect(postgres_admin_dsn)  # the server may have been restarted by a fault test
        await admin.execute(f"DROP DATABASE IF EXISTS {ROLE} WITH (FORCE)")
        await admin.execute(f"DROP ROLE IF EXISTS {ROLE}")
        await admin.close()


@pytest_asyncio.fixture
async def database_of_shop(chassis_dsn: str) -> AsyncIterator[Database]:
    database = await Database.connect(settings_for(chassis_dsn))
    yield database
    await database.close()
