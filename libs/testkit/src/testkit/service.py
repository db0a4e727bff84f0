"""One service under test on the real infrastructure: wired from its settings, served, its roles run as tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID, uuid4

from chassis.run import Runner, Service
from chassis.settings import ServiceSettings
from eventing import KafkaConfig
from kernel.ids import uuid7
from testkit.issuer import TokenIssuer
from testkit.serving import Answered, Client, serving
from testkit.unfinished import report
from testkit.wait import eventually

STOP_S: Final = 60.0

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
AppT = TypeVar("AppT")


def settings_of(
    kind: type[SettingsT], *, dsn: str, redis_url: str, kafka: KafkaConfig | None = None, **own: Any
) -> SettingsT:
    """What every service demands, and ``own`` over it. Without ``kafka`` nothing is sent or heard."""
    values: dict[str, Any] = {
        "environment": "test",
        "http_port": 0,
        "ops_port": 0,
        "database_dsn": dsn,
        "redis_url": redis_url,
        "kafka_bootstrap": kafka.bootstrap if kafka else "127.0.0.1:1",
        "kafka_username": kafka.username if kafka else None,
        "kafka_password": kafka.password if kafka else None,
        "kafka_topic_prefix": kafka.topic_prefix if kafka else "",
        "jwks_url": "http://127.0.0.1:1/jwks.json",
        "cursor_secret": "test-only-cursor-secret-of-32-bytes",
    }
    return kind(**(values | own))


@asynccontextmanager
async def running(*runners: Runner) -> AsyncIterator[None]:
    """The runners at work for the length of the block; then each is stopped and waited for.

    Raises ``AssertionError`` that names those which have not ended in ``STOP_S``, and what they wait for.
    """
    stop = asyncio.Event()
    tasks = [asyncio.create_task(runner.run(stop), name=runner.name) for runner in runners]
    try:
        yield
    finally:
        stop.set()
        if tasks:
            _, stuck = await asyncio.wait(tasks, timeout=STOP_S)
            assert not stuck, f"not stopped in {STOP_S:g} s:\n{report(stuck)}"
            await asyncio.gather(*tasks)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in, who calls the service."""

    user_id: UUID
    token: str
    client: Client

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answered:
        """One request as this person; ``more`` as ``Client`` takes it."""
        return await self.client(method, path, body, token=self.token, **more)


@dataclass(frozen=True, slots=True)
class ServiceWorld(Generic[AppT]):
    """A wired service, a client of its routes, and who signs its callers' tokens."""

    app: AppT
    call: Client
    issuer: TokenIssuer

    def person(self, *, roles: Iterable[str] = ("user",), **claims: Any) -> Person:
        """Somebody nobody else is."""
        user_id = uuid4()
        return Person(user_id, self.issuer.token_for(user_id, roles=tuple(roles), **claims), self.call)

    async def publish(self, record: Any, *, key: str | None = None, version: int | None = None) -> UUID:
        """Put a record on Kafka the way its owner would, through an outbox and its relay. Returns its id."""
        event_id = uuid7()
        app: Any = self.app
        async with app.begin() as tx:
            tx.outbox.add(record, key=key, event_id=event_id, aggregate_version=version)
        return event_id

    async def handled(self, event_id: UUID, *, timeout_s: float = 30) -> None:
        """Wait until a record was handled, whatever became of it."""
        app: Any = self.app

        async def look() -> bool:
            async with app.database.read() as conn:
                found = await conn.fetchval("SELECT EXISTS (SELECT FROM inbox WHERE event_id = $1)", event_id)
            return bool(found)

        await eventually(look, timeout_s=timeout_s, what=f"{event_id} handled")


@asynccontextmanager
async def service_world(
    service: Service[SettingsT, AppT], settings: SettingsT, *, roles: Iterable[str] = ("consume", "relay", "jobs")
) -> AsyncIterator[ServiceWorld[AppT]]:
    """The service served on a free port, with ``roles`` and its background at work."""
    made = {"consume": service.consumers, "relay": service.relays, "jobs": service.jobs}
    async with TokenIssuer.serve() as issuer:
        told = settings.model_copy(update={"jwks_url": issuer.jwks_url})
        async with service.wire(told) as app:
            runners = [runner for role in roles for runner in made[role](app)]
            assert service.http is not None
            async with running(*runners, *service.background(app)), serving(service.http(app)) as call:
                yield ServiceWorld(app, call, issuer)
