"""A small service of its own: a schema with eventing's tables, one handler that fails when told to, its routes served."""

import asyncio
import contextlib
import uuid
from dataclasses import dataclass, field

import asyncpg
import pytest_asyncio

from chassis.settings import ServiceSettings
from eventing import Subscriptions, tables
from operations import Parts, consumers, make_service_app, open_parts, operator_commands, operator_routes, relays
from sampan.auth.v1.user_pb2 import UserRegistered
from testkit.databases import with_database
from testkit.issuer import TokenIssuer
from testkit.serving import Client, serving
from testkit.transaction import Tx

SERVICE = "commerce"


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    settings: ServiceSettings

    @contextlib.asynccontextmanager
    async def begin(self, user_id=None):
        async with self.transaction(user_id) as (conn, outbox):
            yield Tx(conn, outbox)


@dataclass
class World:
    """The service, its callers, and the user ids its handler refuses."""

    app: App
    call: Client
    issuer: TokenIssuer
    handlers: Subscriptions
    refused: set = field(default_factory=set)

    def token(self, *roles):
        return self.issuer.token_for(uuid.uuid4(), roles=roles or ("user", "ops"))

    async def register(self, user_id, *, version=1):
        """Publish a registration of that person."""
        async with self.app.begin() as tx:
            tx.outbox.add(
                UserRegistered(user_id=str(user_id), country="TH", email="somsri@example.com", display_name="Somsri"),
                aggregate_version=version,
            )

    async def dead(self):
        async with self.app.database.read() as conn:
            rows = await conn.fetch("SELECT id FROM dead_letter WHERE status = 'waiting' ORDER BY id")
        return [row["id"] for row in rows]

    async def welcomed(self, user_id):
        async with self.app.database.read() as conn:
            return await conn.fetchval("SELECT count(*) FROM welcomed WHERE user_id = $1", str(user_id))

    async def command(self, *argv):
        """Run an operator's command as ``python -m`` would; returns its exit code."""
        from chassis.run import Service  # noqa: PLC0415
        from chassis.run.cli import build_parser  # noqa: PLC0415

        commands = operator_commands(self.handlers)
        service = Service(name=SERVICE, settings=ServiceSettings, wire=lambda _: None, commands=commands)
        given = build_parser(service).parse_args(argv)
        return await commands[given.command].run(self.app, given) or 0

    @contextlib.asynccontextmanager
    async def running(self):
        """Relay and consumer at work for the length of the block."""
        stop = asyncio.Event()
        runners = [*relays(self.app), *consumers(self.app, lambda _: self.handlers)]
        tasks = [asyncio.create_task(runner.run(stop)) for runner in runners]
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.gather(*tasks), 30)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(postgres_admin_dsn, redis_url, kafka):
    name = f"t_operations_{uuid.uuid4().hex[:10]}"
    admin = await asyncpg.connect(postgres_admin_dsn)
    await admin.execute(f'CREATE DATABASE "{name}"')
    dsn = with_database(postgres_admin_dsn, name)
    conn = await asyncpg.connect(dsn)
    for statement in (
        f"CREATE SCHEMA {SERVICE}",
        f"CREATE TABLE {SERVICE}.welcomed (user_id text)",
        *tables.upgrade(SERVICE),
        *tables.functions(SERVICE).values(),
    ):
        await conn.execute(statement)
    await conn.close()
    settings = ServiceSettings(
        environment="test",
        http_port=0,
        ops_port=0,
        database_dsn=dsn,
        database_schema=SERVICE,
        redis_url=redis_url,
        kafka_bootstrap=kafka.bootstrap,
        kafka_username=kafka.username,
        kafka_password=kafka.password,
        kafka_topic_prefix=kafka.topic_prefix,
        jwks_url="http://127.0.0.1:1",
        cursor_secret="test-only-cursor-secret-of-32-bytes",
    )
    handlers, issuer = Subscriptions(SERVICE), TokenIssuer()
    async with open_parts(settings, SERVICE, fetch_keys=issuer.fetch) as opened, contextlib.AsyncExitStack() as stack:
        app = App(**opened.parts(), settings=settings)
        application = make_service_app((operator_routes(SERVICE, handlers),), app)
        call = await stack.enter_async_context(serving(application))
        made = World(app, call, issuer, handlers)

        @handlers.on(UserRegistered)
        async def on_registered(message, tx):
            if message.body.user_id in made.refused:
                raise ValueError(f"cannot welcome {message.body.email}")
            await tx.conn.execute("INSERT INTO welcomed VALUES ($1)", message.body.user_id)

        yield made
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()
