"""A messaging service on real Postgres, Redis and Kafka."""

import base64
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
import pytest
import pytest_asyncio

from messaging.__main__ import SERVICE
from messaging.core.adapters.account_store import Account
from messaging.settings import MessagingSettings
from messaging.wiring import App, wire
from sampan.auth.v1.graph_pb2 import UserBlocked
from testkit.issuer import TokenIssuer
from testkit.ports import free_ports
from testkit.processes import Child
from testkit.service import running, settings_of
from testkit.serving import Answered, Client, serving
from testkit.topics import own_topics
from testkit.wait import eventually

KEY = base64.b64encode(b"k" * 32).decode()
ENVIRONMENT = {
    "MESSAGING_KEY_ENCRYPTION_KEY": KEY,
    "MESSAGING_OBJECTS_DIR": "/nonexistent",
    "MESSAGING_SCANNER_HOST": "127.0.0.1",
}


@dataclass
class Person:
    """Somebody with a token."""

    user_id: UUID
    token: str
    call: Client

    async def do(self, method: str, path: str, body: Any = None, **rest: Any) -> Answered:
        return await self.call(method, path, body, token=self.token, **rest)

    async def ok(self, method: str, path: str, body: Any = None, **rest: Any) -> Any:
        answer = await self.do(method, path, body, **rest)
        assert answer.status < 300, (answer.status, answer.content)
        return answer.json if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, **rest: Any) -> str:
        """The problem's code."""
        answer = await self.do(method, path, body, **rest)
        assert 400 <= answer.status < 500, (answer.status, answer.content)
        return answer.code

    async def send(self, dialog_id: str, text: str = "hello", **rest: Any) -> dict[str, Any]:
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": text}, **rest}
        return await self.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)

    async def messages(self, dialog_id: str, **query: Any) -> list[dict[str, Any]]:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return (await self.ok("GET", f"/v1/dialogs/{dialog_id}/messages?{asked}"))["items"]

    async def dialog(self, dialog_id: str) -> dict[str, Any]:
        return await self.ok("GET", f"/v1/dialogs/{dialog_id}")

    async def ticket(
        self, content: bytes, *, purpose: str = "image", media_type: str = "image/png", name: str = "photo.png", **more
    ) -> Any:
        body = {"file_name": name, "media_type": media_type, "size_bytes": len(content), "purpose": purpose, **more}
        return await self.ok("POST", "/v1/attachments", body)

    async def piece(self, made: Any, content: bytes, offset: int | str, **headers: str) -> Answered:
        sent = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset), **headers}
        return await self.do("PATCH", made["upload_url"], raw=content, headers=sent)

    async def upload(self, content: bytes, **options: Any) -> str:
        made = await self.ticket(content, **options)
        assert (await self.piece(made, content, 0)).status == 204
        return made["attachment_id"]

    async def judged(self, attachment_id: str) -> Any:
        async def look() -> Any:
            found = await self.ok("GET", f"/v1/attachments/{attachment_id}")
            return found if found["status"] not in {"uploading", "scanning"} else None

        return await eventually(look, timeout_s=60, what="a verdict")

    async def clean(self, content: bytes, **options: Any) -> str:
        attachment_id = await self.upload(content, **options)
        found = await self.judged(attachment_id)
        assert found["status"] == "clean", found
        return attachment_id


@dataclass
class World:
    """One service with its data; its roles run as tasks."""

    app: App
    call: Client
    issuer: TokenIssuer
    settings: MessagingSettings
    people: list[Person] = field(default_factory=list)

    async def publish(self, record: Any, *, version: int | None = None) -> None:
        """Put a record on Kafka the way its owner would: through an outbox and its relay."""
        async with self.app.begin() as tx:
            tx.outbox.add(record, aggregate_version=version)

    async def block(self, one: Person, other: Person, version: int = 1) -> float:
        """Publish that one blocks the other. How many seconds it took until that counts."""
        begun = time.monotonic()
        ids = {"blocker_id": str(one.user_id), "blocked_id": str(other.user_id)}
        await self.publish(UserBlocked(pair_id="p", **ids, version=version))

        async def counts() -> Any:
            async with self.app.database.read() as conn:
                sql = "SELECT active FROM block WHERE blocker_id = $1 AND blocked_id = $2"
                return await conn.fetchval(sql, one.user_id, other.user_id)

        await eventually(counts, timeout_s=30, what="the block")
        return time.monotonic() - begun

    async def person(self, name: str = "Nok") -> Person:
        user_id = uuid.uuid4()
        async with self.app.begin() as tx:
            await tx.people.upsert(Account(user_id=user_id, version=1, display_name=name, locale="th-TH"))
        return Person(user_id, self.issuer.token_for(user_id), self.call)

    async def group(self, *people: Person, kind: str = "group", **rest: Any) -> str:
        """A dialog of the first with the others."""
        others = [str(each.user_id) for each in people[1:]]
        made = await people[0].ok("POST", "/v1/dialogs", {"kind": kind, "user_ids": others, **rest})
        return made["dialog_id"]


@dataclass
class ScannerProcess:
    """The sandbox's virus scanner, a process of its own that can be told to misbehave."""

    port: int
    url: str

    async def behave(self, **behaviour: Any) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.put(f"{self.url}/scanner/behaviour", json=behaviour) as answer,
        ):
            assert answer.status == 200


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka(kafka_admin):
    """Topics of these tests' own: what other services' tests publish is not for them."""
    async with own_topics(kafka_admin) as config:
        yield config


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def scanner(tmp_path_factory):
    http_port, smtp_port, port = free_ports(3)
    environment = {
        "SANDBOX_HTTP_PORT": str(http_port),
        "SANDBOX_SMTP_PORT": str(smtp_port),
        "SANDBOX_SCANNER_PORT": str(port),
    }
    made = ScannerProcess(port, f"http://127.0.0.1:{http_port}")
    async with Child("sandbox", environment=environment, log=tmp_path_factory.mktemp("sandbox") / "log"):

        async def answers() -> bool:
            try:
                await made.behave()
            except aiohttp.ClientError:
                return False
            return True

        await eventually(answers, timeout_s=60, what="sandbox answers")
        yield made


def s3_settings(server):
    return {
        "objects_kind": "s3",
        "objects_s3_endpoint": server.endpoint,
        "objects_s3_bucket": server.bucket,
        "objects_s3_access_key_id": server.access_key_id,
        "objects_s3_secret_access_key": server.secret_access_key,
    }


@pytest.fixture
def migrate(databases):
    """Moves a database of messaging to a revision."""

    async def move(made, to):
        await databases.migrate(made, to, environment=ENVIRONMENT)

    return move


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def disk_world(databases, kafka, redis_url, scanner, tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    async with opened(databases, kafka, redis_url, scanner, objects_dir=folder) as made, running(*runners_of(made.app)):
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def s3_world(databases, kafka, redis_url, scanner, *, s3, tmp_path_factory):
    """The same on S3. Its roles that touch Kafka do not run: records of this session are the other world's."""
    folder = tmp_path_factory.mktemp("objects")
    async with (
        opened(databases, kafka, redis_url, scanner, objects_dir=folder, **s3_settings(s3)) as made,
        running(*SERVICE.jobs(made.app), *SERVICE.background(made.app)),
    ):
        yield made


@pytest_asyncio.fixture
async def world_apart(databases, kafka_admin, redis_url, scanner, tmp_path):
    """A service on topics of its own; none of its roles runs, so that a test can run them as processes and kill them."""
    async with (
        own_topics(kafka_admin) as own,
        opened(databases, own, redis_url, scanner, objects_dir=tmp_path) as made,
    ):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_world(databases, kafka_admin, redis_url, scanner, tmp_path_factory):
    """A service of one module's own, all of whose roles run: what is damaged in it no other test's audit finds."""
    async with (
        own_topics(kafka_admin) as own,
        opened(databases, own, redis_url, scanner, objects_dir=tmp_path_factory.mktemp("objects")) as made,
        running(*runners_of(made.app)),
    ):
        yield made


@pytest_asyncio.fixture
async def still_world(world_apart):
    """It takes messages, and nothing works by the clock: a test calls the jobs itself."""
    async with running(*SERVICE.background(world_apart.app)):
        yield world_apart


@pytest.fixture(scope="session")
def world(disk_world):
    return disk_world


@asynccontextmanager
async def opened(databases, kafka, redis_url, scanner, *, objects_dir, **changed):
    made = await databases.create("messaging", environment=ENVIRONMENT)
    async with TokenIssuer.serve() as issuer:
        settings = settings_of(
            MessagingSettings,
            dsn=made.dsn,
            redis_url=redis_url,
            kafka=kafka,
            jwks_url=issuer.jwks_url,
            key_encryption_key=KEY,
            objects_dir=objects_dir,
            scanner_host="127.0.0.1",
            scanner_port=scanner.port,
            **changed,
        )
        async with wire(settings) as app, serving(SERVICE.http(app)) as call:
            yield World(app, call, issuer, settings)


def runners_of(app):
    """Every role but HTTP."""
    return [
        *SERVICE.consumers(app),
        *SERVICE.relays(app),
        *SERVICE.jobs(app),
        *SERVICE.background(app),
    ]
