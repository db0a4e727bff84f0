"""Fixtures of the component tests: the service on real Postgres, Redis and Kafka, with the sandbox's providers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from chassis.postgres import Connection
from eventing import KafkaConfig
from notification.__main__ import SERVICE
from notification.wiring import App, wire
from notification_testing.running import API_KEY, ENVIRONMENT, runners_of, settings_for
from notification_testing.world import Sandbox, World
from operations import make_service_app
from testkit.databases import Databases, ServiceDatabase
from testkit.issuer import TokenIssuer
from testkit.ports import free_ports
from testkit.processes import Child
from testkit.service import running
from testkit.serving import serving
from testkit.topics import own_topics
from testkit.wait import eventually


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka(kafka_admin: KafkaConfig) -> AsyncIterator[KafkaConfig]:
    """Topics of these tests' own: what other services' tests publish is not for them."""
    async with own_topics(kafka_admin) as config:
        yield config


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    http_port, smtp_port, scanner_port = free_ports(3)
    environment = {
        "SANDBOX_HTTP_PORT": str(http_port),
        "SANDBOX_SMTP_PORT": str(smtp_port),
        "SANDBOX_SCANNER_PORT": str(scanner_port),
        "SANDBOX_API_KEY": API_KEY,
    }
    async with (
        Child("sandbox", environment=environment, log=tmp_path_factory.mktemp("sandbox") / "log"),
        aiohttp.ClientSession() as session,
    ):
        made = Sandbox(f"http://127.0.0.1:{http_port}", smtp_port, session)

        async def answers() -> bool:
            return isinstance(await made.mails("nobody"), list)

        await eventually(answers, timeout_s=40, what="sandbox answers")
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def idle_database(databases: Databases) -> ServiceDatabase:
    return await databases.create("notification", environment=ENVIRONMENT)


@pytest_asyncio.fixture(loop_scope="session")
async def idle_app(
    idle_database: ServiceDatabase, kafka: KafkaConfig, redis_url: str, sandbox: Sandbox
) -> AsyncIterator[App]:
    """A service with a database of its own, none of whose roles runs: a test does by hand what they would."""
    async with wire(settings_for(idle_database.dsn, redis_url, kafka, sandbox)) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="session")
async def owner(idle_database: ServiceDatabase) -> AsyncIterator[Connection]:
    """The owner of the idle service's schema: for what the role that serves may not do to a table."""
    conn = await asyncpg.connect(idle_database.owner_dsn)
    yield conn
    await conn.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(databases: Databases, kafka: KafkaConfig, redis_url: str, sandbox: Sandbox) -> AsyncIterator[World]:
    made = await databases.create("notification", environment=ENVIRONMENT)
    async with TokenIssuer.serve() as issuer:
        settings = settings_for(made.dsn, redis_url, kafka, sandbox, jwks_url=issuer.jwks_url)
        async with (
            wire(settings) as app,
            running(*runners_of(app)),
            serving(make_service_app(SERVICE.routes, app)) as call,
        ):
            yield World(app, call, issuer, sandbox)
