"""The service with real Postgres and Redis, reached over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from auth.settings import AuthSettings
from auth_testing.service import ENVIRONMENT, Service, running, settings_for
from testkit.databases import Databases, ServiceDatabase


def patient(dsn: str, redis_url: str) -> AuthSettings:
    """Clients and lock holders are one process here, which may stand still for seconds."""
    return settings_for(dsn, redis_url, database_lock_timeout_s=30)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def auth_database(databases: Databases) -> ServiceDatabase:
    return await databases.create("auth", environment=ENVIRONMENT)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(auth_database: ServiceDatabase, redis_url: str) -> AsyncIterator[Service]:
    """One running service for all tests that own no more than their own people."""
    async with running(patient(auth_database.dsn, redis_url)) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def shifted(auth_database: ServiceDatabase, redis_url: str) -> AsyncIterator[Service]:
    """A service whose clock is the test's own, and stands still."""
    async with running(patient(auth_database.dsn, redis_url)) as started:
        started.clock.stop()
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def own_service(databases: Databases, redis_url: str) -> AsyncIterator[Service]:
    """A service whose database (its signing keys, its months) and clock are the test's own."""
    database = await databases.create("auth", environment=ENVIRONMENT)
    async with running(patient(database.dsn, redis_url)) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def service_without_redis(auth_database: ServiceDatabase) -> AsyncIterator[Service]:
    """Its clock stands still, too."""
    async with running(patient(auth_database.dsn, "redis://127.0.0.1:1/0")) as started:
        started.clock.stop()
        yield started
