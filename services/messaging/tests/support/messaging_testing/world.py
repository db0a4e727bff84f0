"""One messaging service on real Postgres, Redis and Kafka, and the scanner it asks."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from chassis.run import Runner
from eventing import KafkaConfig
from messaging.__main__ import SERVICE
from messaging.realtime.socket.node import Node
from messaging.realtime.socket.upgrade import NODE
from messaging.settings import MessagingSettings
from messaging.wiring import App, wire
from messaging_testing.people import Person
from sampan.auth.v1.graph_pb2 import UserBlocked
from testkit.issuer import TokenIssuer
from testkit.service import settings_of
from testkit.serving import Client, serving
from testkit.wait import eventually

KEY: Final = base64.b64encode(b"k" * 32).decode()
ENVIRONMENT: Final = {
    "MESSAGING_KEY_ENCRYPTION_KEY": KEY,
    "MESSAGING_OBJECTS_DIR": "/nonexistent",
    "MESSAGING_SCANNER_HOST": "127.0.0.1",
}


@dataclass
class World:
    """One service with its data; its roles run as tasks."""

    app: App
    call: Client
    issuer: TokenIssuer
    settings: MessagingSettings
    node: Node
    people: list[Person] = field(default_factory=list)

    async def publish(self, record: Any, *, version: int | None = None) -> None:
        """Put a record on Kafka the way its owner would: through an outbox and its relay."""
        async with self.app.begin() as tx:
            tx.outbox.add(record, aggregate_version=version)

    async def block(self, one: Person, other: Person, version: int = 1) -> float:
        """Publish that one blocks the other. How many seconds it took until that counts."""
        begun = time.monotonic()
        blocker_id, blocked_id = str(one.user_id), str(other.user_id)
        await self.publish(UserBlocked(pair_id="p", blocker_id=blocker_id, blocked_id=blocked_id, version=version))

        async def counts() -> Any:
            async with self.app.database.read() as conn:
                sql = "SELECT active FROM block WHERE blocker_id = $1 AND blocked_id = $2"
                return await conn.fetchval(sql, one.user_id, other.user_id)

        await eventually(counts, timeout_s=30, what="the block")
        return time.monotonic() - begun

    async def person(self, name: str = "Nok") -> Person:
        user_id = uuid.uuid4()
        async with self.app.begin() as tx:
            await tx.people.upsert(user_id, 1, display_name=name, locale="th-TH")
        return Person(user_id, self.issuer.token_for(user_id), self.call)

    async def group(self, *people: Person, kind: str = "group", **rest: Any) -> str:
        """A dialog of the first with the others."""
        others = [str(each.user_id) for each in people[1:]]
        made = await people[0].ok("POST", "/v1/dialogs", {"kind": kind, "user_ids": others, **rest})
        return str(made["dialog_id"])


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


@asynccontextmanager
async def opened(
    databases: Any, kafka: KafkaConfig, redis_url: str, scanner: ScannerProcess, *, objects_dir: Path, **changed: Any
) -> AsyncIterator[World]:
    """A service on a database of its own."""
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
        assert SERVICE.http is not None
        async with wire(settings) as app:
            application = SERVICE.http(app)
            async with serving(application) as call:
                yield World(app, call, issuer, settings, application[NODE])


def runners_of(app: App) -> list[Runner]:
    """Every role but HTTP."""
    return [
        *SERVICE.consumers(app),
        *SERVICE.relays(app),
        *SERVICE.jobs(app),
        *SERVICE.background(app),
    ]


def s3_settings(server: Any) -> dict[str, Any]:
    """Settings of a service whose objects are in this server's bucket."""
    return {
        "objects_kind": "s3",
        "objects_s3_endpoint": server.endpoint,
        "objects_s3_bucket": server.bucket,
        "objects_s3_access_key_id": server.access_key_id,
        "objects_s3_secret_access_key": server.secret_access_key,
    }
