"""A notification service on real Postgres, Redis and Kafka, with the sandbox's mail and SMS as a process of its own."""

import asyncio
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest_asyncio

from chassis.testing.issuer import TokenIssuer
from chassis.testing.serving import Client, serving
from kernel.ids import uuid7
from notification.entrypoints import roles
from notification.settings import NotificationSettings
from notification.wiring import App, wire
from sampan.auth.v1.user_pb2 import UserRegistered
from testkit.ports import free_ports
from testkit.processes import Child
from testkit.topics import own_topics
from testkit.wait import eventually

API_KEY = "test-api-key"
ENVIRONMENT = {
    "NOTIFICATION_SMTP_HOST": "127.0.0.1",
    "NOTIFICATION_SMTP_PORT": "1",
    "NOTIFICATION_SMS_BASE_URL": "http://127.0.0.1:1",
    "NOTIFICATION_SMS_API_KEY": API_KEY,
}


@dataclass
class Sandbox:
    """The provider process, and what it got."""

    url: str
    smtp_port: int
    session: aiohttp.ClientSession

    async def mails(self, to: str) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.url}/mail/messages", params={"to": to}) as answer:
            return (await answer.json())["items"]

    async def messages(self, to: str) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.url}/sms/messages", params={"to": to}) as answer:
            return (await answer.json())["items"]

    async def behave(self, part: str, **behaviour: Any) -> None:
        async with self.session.put(f"{self.url}/{part}/behaviour", json=behaviour) as answer:
            assert answer.status == 200


@dataclass
class World:
    """One service with its data; its roles run as tasks."""

    app: App
    call: Client
    issuer: TokenIssuer
    sandbox: Sandbox
    people: dict[UUID, str] = field(default_factory=dict)

    async def publish(self, *records: Any, key: str | None = None, version: int | None = None) -> UUID:
        """Put records on Kafka the way their owner would: through an outbox and its relay. Returns the last id."""
        event_id = uuid7()
        async with self.app.begin() as tx:
            for record in records:
                event_id = uuid7()
                tx.outbox.add(record, key=key, event_id=event_id, aggregate_version=version)
        return event_id

    async def person(self, *, locale: str = "th-TH", name: str = "Nok") -> tuple[UUID, str]:
        """A person auth has told about. Returns their id and e-mail address."""
        user_id = uuid.uuid4()
        email = f"{user_id.hex}@example.com"
        phone = "+668" + str(user_id.int)[:8]
        await self.publish(
            UserRegistered(
                user_id=str(user_id), country="TH", locale=locale, display_name=name, email=email, phone_e164=phone
            ),
            version=1,
        )
        await self.notifications_of(user_id, "welcome")
        return user_id, email

    async def get(self, user_id: UUID, path: str) -> Any:
        answer = await self.call("GET", path, token=self.issuer.token_for(user_id))
        assert answer.status == 200, answer.content
        return answer.json

    async def notifications_of(self, user_id: UUID, notification_type: str) -> list[dict[str, Any]]:
        """Those of a type, once there is one."""

        async def look() -> list[dict[str, Any]]:
            items = (await self.get(user_id, "/v1/notifications"))["items"]
            return [each for each in items if each["type"] == notification_type]

        return await eventually(look, timeout_s=40, what=f"{notification_type} of {user_id}")

    async def handled(self, event_id: UUID) -> None:
        """Wait until a record was handled, whatever became of it."""

        async def look() -> bool:
            async with self.app.database.read() as conn:
                return await conn.fetchval("SELECT EXISTS (SELECT FROM inbox WHERE event_id = $1)", event_id)

        await eventually(look, timeout_s=20, what=f"{event_id} handled")

    async def idle(self) -> None:
        """Wait until no provider will be asked: what it is told to do next is for the next message of anyone.

        What waits for a person nobody has told of is tried for some forty minutes, and asks no provider meanwhile.
        """

        async def look() -> bool:
            async with self.app.database.read() as conn:
                return not await conn.fetchval(
                    """
                    SELECT EXISTS (SELECT FROM delivery LEFT JOIN recipient USING (user_id)
                                   WHERE status = 'pending' AND (user_id IS NULL OR recipient.user_id IS NOT NULL))
                    """
                )

        await eventually(look, timeout_s=30, what="all deliveries ended")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka(kafka_admin):
    """Topics of these tests' own: what other services' tests publish is not for them."""
    async with own_topics(kafka_admin) as config:
        yield config


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox(tmp_path_factory):
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


def settings_for(dsn, redis_url, kafka, sandbox, *, jwks_url="http://127.0.0.1:1/jwks.json"):
    return NotificationSettings(
        environment="test",
        http_port=0,
        ops_port=0,
        database_dsn=dsn,
        redis_url=redis_url,
        kafka_bootstrap=kafka.bootstrap,
        kafka_username=kafka.username,
        kafka_password=kafka.password,
        kafka_topic_prefix=kafka.topic_prefix,
        jwks_url=jwks_url,
        cursor_secret="test-only-cursor-secret-of-32-bytes",
        smtp_host="127.0.0.1",
        smtp_port=sandbox.smtp_port,
        sms_base_url=sandbox.url,
        sms_api_key=API_KEY,
    )


@pytest_asyncio.fixture(loop_scope="session")
async def idle_database(databases):
    return await databases.create("notification", environment=ENVIRONMENT)


@pytest_asyncio.fixture(loop_scope="session")
async def idle_app(idle_database, kafka, redis_url, sandbox):
    """A service with a database of its own, none of whose roles runs: a test does by hand what they would."""
    async with wire(settings_for(idle_database.dsn, redis_url, kafka, sandbox)) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="session")
async def owner(idle_database):
    """The owner of the idle service's schema: for what the role that serves may not do to a table."""
    conn = await asyncpg.connect(idle_database.owner_dsn)
    yield conn
    await conn.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(databases, kafka, redis_url, sandbox):
    made = await databases.create("notification", environment=ENVIRONMENT)
    async with TokenIssuer.serve() as issuer:
        settings = settings_for(made.dsn, redis_url, kafka, sandbox, jwks_url=issuer.jwks_url)
        async with wire(settings) as app, running(app), serving(roles.http(app)) as call:
            yield World(app, call, issuer, sandbox)


@asynccontextmanager
async def running(app):
    stop = asyncio.Event()
    runners = [*roles.consumers(app), *roles.relays(app), *roles.jobs(app), *roles.background(app)]
    tasks = [asyncio.create_task(each.run(stop)) for each in runners]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)
