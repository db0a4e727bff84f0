"""Fixtures of component tests."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio

from chassis.postgres import Connection
from chassis.run import Periodic
from eventing import KafkaConfig
from kernel.clock import FixedClock
from payment.__main__ import SERVICE
from payment.entrypoints import jobs
from payment.entrypoints.app import make_web_app
from payment.wiring import App, wire
from payment_testing.people import NOON
from payment_testing.service import (
    Place,
    World,
    assert_audit_holds,
    environment_of,
    sandbox_process,
    settings_of,
)
from testkit.databases import ServiceDatabase
from testkit.issuer import TokenIssuer
from testkit.ports import free_port
from testkit.service import running
from testkit.serving import serving

MakeDatabase = Callable[[str], Awaitable[ServiceDatabase]]
MakeEnvironment = Callable[..., dict[str, str]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def payment_database(database: MakeDatabase) -> ServiceDatabase:
    """One a module; each test has people of its own in it."""
    return await database("payment")


@pytest.fixture
async def conn(payment_database: ServiceDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the service's role; the audit holds when the test is over."""
    connection = await asyncpg.connect(payment_database.dsn)
    yield connection
    await assert_audit_holds(connection)
    await connection.close()


@pytest.fixture
async def owner(payment_database: ServiceDatabase) -> AsyncIterator[asyncpg.Connection]:
    """As the owner of the schema: for what the service's own role may not do, such as setting limits."""
    connection = await asyncpg.connect(payment_database.owner_dsn)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def issuer() -> AsyncIterator[TokenIssuer]:
    async with TokenIssuer.serve() as serving_issuer:
        yield serving_issuer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    database: MakeDatabase,
    redis_url: str,
    kafka: KafkaConfig,
    issuer: TokenIssuer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    """HTTP, jobs and the sandbox; the audit holds at the end."""
    service_database = await database("payment")
    port = free_port()
    environment = environment_of(
        service_database,
        redis_url,
        replace(kafka, topic_prefix=f"{kafka.topic_prefix}{uuid.uuid4().hex[:6]}."),
        issuer.jwks_url,
        SANDBOX_URL=f"http://127.0.0.1:{port}",
        DATABASE_POOL_MAX="20",
    )
    log = tmp_path_factory.mktemp("sandbox") / "sandbox.log"
    async with (
        wire(settings_of(environment)) as app,
        serving(make_web_app(SERVICE.routes, app)) as call,
        sandbox_process(port, f"{call.base_url}/v1/provider-webhooks/sandbox", log) as sandbox_url,
        running(
            Periodic("top-ups", 0.05, lambda: jobs.top_ups(app)),
            Periodic("top-up-ends", 0.1, lambda: jobs.confirmations(app)),
            Periodic("expiry", 0.1, lambda: jobs.expiry(app)),
            Periodic("returns", 0.1, lambda: jobs.returns(app)),
        ),
    ):
        made = World(app, call, issuer, service_database, sandbox_url)
        yield made
        async with app.database.read() as conn:
            await assert_audit_holds(conn)


@pytest.fixture(scope="session")
def audit_holds() -> Callable[[Connection], Awaitable[None]]:
    """``await audit_holds(conn)``: fails with the audit's table."""
    return assert_audit_holds


@pytest.fixture(scope="session")
def payment_environment(redis_url: str, kafka: KafkaConfig, issuer: TokenIssuer) -> MakeEnvironment:
    """``payment_environment(database, HTTP_PORT="0")``: the environment of a process of the service."""

    def make(service_database: ServiceDatabase, **more: str) -> dict[str, str]:
        return environment_of(service_database, redis_url, kafka, issuer.jwks_url, **more)

    return make


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def streams(database: MakeDatabase, payment_environment: MakeEnvironment) -> AsyncIterator[App]:
    """A service that consumes and relays; the audit holds at the end."""
    service_database = await database("payment")
    async with wire(settings_of(payment_environment(service_database, DATABASE_POOL_MAX="20"))) as app:
        async with running(*SERVICE.consumers(app), *SERVICE.relays(app)):
            yield app
        async with app.database.read() as conn:
            await assert_audit_holds(conn)


@pytest.fixture
async def place(database: MakeDatabase, payment_environment: MakeEnvironment) -> AsyncIterator[Place]:
    """A service nothing of which runs by itself; the audit holds at the end."""
    made = await database("payment")
    settings = settings_of(payment_environment(made, SANDBOX_URL="http://127.0.0.1:9"))
    admin, clock = await asyncpg.connect(made.admin_dsn), FixedClock(NOON)
    async with wire(settings, clock) as app:
        yield Place(app, clock, admin)
        async with app.database.read() as conn:
            await assert_audit_holds(conn)
    await admin.close()
