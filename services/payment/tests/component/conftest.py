"""A payment service wired to real Postgres, Redis and Kafka, with the sandbox provider as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from chassis.run import Periodic
from chassis.testing.issuer import TokenIssuer
from chassis.testing.serving import Client, serving
from kernel.clock import FixedClock
from kernel.country import Country
from payment.adapters.audit import audit, report
from payment.entrypoints import jobs
from payment.entrypoints.app import http
from payment.entrypoints.runners import consumers, relays
from payment.settings import PaymentSettings
from payment.testing import NOON, add_person, balance, give
from payment.usecases.record_charge import record_charge
from payment.wiring import App, wire
from sandbox.webhooks import SIGNATURE_HEADER, sign
from testkit.databases import ServiceDatabase
from testkit.ports import free_port
from testkit.processes import Child
from testkit.wait import eventually

SECRET, API_KEY = "test-webhook-secret", "test-api-key"


@dataclass
class World:
    """One service with its data."""

    app: App
    call: Client
    issuer: TokenIssuer
    database: ServiceDatabase
    sandbox_url: str

    async def person(self, *, country: str = "TH", tier: int = 3, currency: str = "THB") -> UUID:
        async with self.app.database.begin() as conn:
            return await add_person(conn, country=country, tier=tier, currency=currency)

    def token(self, user_id: UUID, **claims) -> str:
        return self.issuer.token_for(user_id, country=Country.TH, **claims)

    async def behave(self, **behaviour) -> None:
        url = f"{self.sandbox_url}/payments/behaviour"
        async with aiohttp.ClientSession() as session, session.put(url, json=behaviour) as answer:
            assert answer.status == 200, await answer.text()

    async def provider_says(self, reference, *, secret=SECRET, at=None, provider="sandbox", event_id=None, **data):
        """The answer to a webhook of the provider; ``data`` of its charge."""
        charge = {
            "charge_id": f"ch_{uuid.uuid4().hex}",
            "reference": str(reference),
            "amount_minor": 5_000,
            "currency": "THB",
            "status": "succeeded",
            "failure_code": "",
            **data,
        }
        body = json.dumps({"id": event_id or f"evt_{uuid.uuid4().hex}", "type": "charge", "data": charge}).encode()
        return await self.deliver(body, secret=secret, at=at, provider=provider)

    async def deliver(self, body: bytes, *, secret=SECRET, at=None, provider="sandbox"):
        header = sign(secret, body, at_unix_s=at if at is not None else int(time.time()))
        path = f"/v1/provider-webhooks/{provider}"
        return await self.call("POST", path, raw=body, headers={SIGNATURE_HEADER: header}, key="")

    async def provider(self, path: str):
        async with aiohttp.ClientSession() as session, session.get(self.sandbox_url + path) as answer:
            return await answer.json()


async def assert_audit_holds(conn) -> None:
    findings = await audit(conn)
    assert not any(finding.count for finding in findings), report(findings)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def payment_database(database) -> ServiceDatabase:
    """One a module; each test has people of its own in it."""
    return await database("payment")


@pytest.fixture
async def conn(payment_database) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the service's role; the audit holds when the test is over."""
    connection = await asyncpg.connect(payment_database.dsn)
    yield connection
    await assert_audit_holds(connection)
    await connection.close()


@pytest.fixture
async def owner(payment_database) -> AsyncIterator[asyncpg.Connection]:
    """As the owner of the schema: for what the service's own role may not do, such as setting limits."""
    connection = await asyncpg.connect(payment_database.owner_dsn)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def issuer() -> AsyncIterator[TokenIssuer]:
    async with TokenIssuer.serve() as serving_issuer:
        yield serving_issuer


def environment_of(database: ServiceDatabase, redis_url, kafka, jwks_url, **more) -> dict[str, str]:
    values = {
        "ENVIRONMENT": "test",
        "HTTP_PORT": "0",
        "OPS_PORT": "0",
        "DATABASE_DSN": database.dsn,
        "REDIS_URL": redis_url,
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "KAFKA_USERNAME": kafka.username or "",
        "KAFKA_PASSWORD": kafka.password or "",
        "KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "JWKS_URL": jwks_url,
        "CURSOR_SECRET": "test-only-cursor-secret-of-32-bytes",
        "SANDBOX_API_KEY": API_KEY,
        "SANDBOX_WEBHOOK_SECRET": SECRET,
        "PROVIDER_TIMEOUT_S": "1",
        **more,
    }
    return {f"PAYMENT_{key}": value for key, value in values.items()}


def settings_of(environment: dict[str, str]) -> PaymentSettings:
    before = {key: os.environ.get(key) for key in environment}
    os.environ.update(environment)
    try:
        return PaymentSettings()
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key)
            else:
                os.environ[key] = value


@asynccontextmanager
async def sandbox_process(port: int, webhook_url: str, log: Path) -> AsyncIterator[str]:
    url = f"http://127.0.0.1:{port}"
    environment = {
        "SANDBOX_HTTP_PORT": str(port),
        "SANDBOX_SMTP_PORT": str(free_port()),
        "SANDBOX_SCANNER_PORT": str(free_port()),
        "SANDBOX_WEBHOOK_URL": webhook_url,
        "SANDBOX_WEBHOOK_SECRET": SECRET,
        "SANDBOX_API_KEY": API_KEY,
    }
    async with Child("sandbox", environment=environment, log=log):
        async with aiohttp.ClientSession() as session:

            async def healthy() -> bool:
                async with session.get(f"{url}/healthz") as answer:
                    return answer.status == 200

            await eventually(healthy, timeout_s=60, what=f"sandbox, see {log}")
        yield url


@asynccontextmanager
async def running(*runners) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(runner.run(stop), name=runner.name) for runner in runners]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(database, redis_url, kafka, issuer, tmp_path_factory) -> AsyncIterator[World]:
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
        serving(http(app)) as call,
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
def audit_holds():
    """``await audit_holds(conn)``: fails with the audit's table."""
    return assert_audit_holds


@pytest.fixture(scope="session")
def payment_environment(redis_url, kafka, issuer):
    """``payment_environment(database, HTTP_PORT="0")``: the environment of a process of the service."""

    def make(service_database: ServiceDatabase, **more) -> dict[str, str]:
        return environment_of(service_database, redis_url, kafka, issuer.jwks_url, **more)

    return make


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def streams(database, payment_environment) -> AsyncIterator[App]:
    """A service that consumes and relays; the audit holds at the end."""
    service_database = await database("payment")
    async with wire(settings_of(payment_environment(service_database, DATABASE_POOL_MAX="20"))) as app:
        async with running(*consumers(app), *relays(app)):
            yield app
        async with app.database.read() as conn:
            await assert_audit_holds(conn)


@dataclass
class Place:
    """A service with a database and a clock of its own, and a superuser who can poison a row."""

    app: App
    clock: FixedClock
    admin: asyncpg.Connection

    async def poison(self, table, condition):
        """Whoever changes such a row of the table fails."""
        await self.admin.execute(
            "CREATE OR REPLACE FUNCTION payment.poisoned() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$"
        )
        await self.admin.execute(
            f"CREATE TRIGGER poisoned BEFORE UPDATE ON payment.{table} FOR EACH ROW WHEN ({condition})"
            " EXECUTE FUNCTION payment.poisoned()"
        )

    async def heal(self, table):
        await self.admin.execute(f"DROP TRIGGER poisoned ON payment.{table}")

    async def failures(self):
        """(job, item, attempts) of what is written down for operators."""
        async with self.app.database.read() as conn:
            rows = await conn.fetch("SELECT job, item_id, attempts, error FROM job_failure ORDER BY item_id")
        return [(row["job"], row["item_id"], row["attempts"]) for row in rows]

    async def person(self, amount_minor=0):
        async with self.app.database.begin() as conn:
            made = await add_person(conn)
            if amount_minor:
                await give(conn, made, amount_minor)
        return made

    async def told_at_once(self, *charges):
        """Verdicts on words of which each was read before any was booked; the first is booked first."""
        all_read, first_booked = asyncio.Barrier(len(charges)), asyncio.Event()

        async def tell(charge):
            async with self.app.begin() as tx:
                booked, first_look = tx.top_ups.booked, True

                async def read_then_wait(charge):
                    nonlocal first_look
                    found = await booked(charge)
                    if first_look:
                        first_look = False
                        await all_read.wait()
                        if charge is not charges[0]:
                            await first_booked.wait()
                    return found

                tx.top_ups.booked = read_then_wait
                verdict = await record_charge(charge, tx)
                if charge is charges[0]:
                    first_booked.set()
                return verdict

        return await asyncio.gather(*map(tell, charges))

    async def money(self, person):
        async with self.app.database.read() as conn:
            return await balance(conn, person)


@pytest.fixture
async def place(database, payment_environment, monkeypatch, audit_holds):
    made = await database("payment")
    for name, value in payment_environment(made, SANDBOX_URL="http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)
    admin, clock = await asyncpg.connect(made.admin_dsn), FixedClock(NOON)
    async with wire(PaymentSettings(), clock) as app:
        yield Place(app, clock, admin)
        async with app.database.read() as conn:
            await audit_holds(conn)
    await admin.close()
