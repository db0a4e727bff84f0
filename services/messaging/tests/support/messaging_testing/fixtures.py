"""Fixtures of a messaging service on real Postgres, Redis and Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from eventing import KafkaConfig
from messaging.__main__ import SERVICE
from messaging_testing.world import ENVIRONMENT, ScannerProcess, World, opened, runners_of, s3_settings
from testkit.ports import free_ports
from testkit.processes import Child
from testkit.service import running
from testkit.topics import own_topics
from testkit.wait import eventually


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka(kafka_admin: Any) -> AsyncIterator[KafkaConfig]:
    """Topics of these tests' own: what other services' tests publish is not for them."""
    async with own_topics(kafka_admin) as config:
        yield config


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def scanner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ScannerProcess]:
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


@pytest.fixture
def migrate(databases: Any) -> Callable[[Any, str], Awaitable[None]]:
    """Moves a database of messaging to a revision."""

    async def move(made: Any, to: str) -> None:
        await databases.migrate(made, to, environment=ENVIRONMENT)

    return move


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def disk_world(
    databases: Any,
    kafka: KafkaConfig,
    redis_url: str,
    scanner: ScannerProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("objects")
    async with opened(databases, kafka, redis_url, scanner, objects_dir=folder) as made, running(*runners_of(made.app)):
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def s3_world(
    databases: Any,
    kafka: KafkaConfig,
    redis_url: str,
    scanner: ScannerProcess,
    *,
    s3: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    """The same on S3. Its roles that touch Kafka do not run: records of this session are the other world's."""
    folder = tmp_path_factory.mktemp("objects")
    async with (
        opened(databases, kafka, redis_url, scanner, objects_dir=folder, **s3_settings(s3)) as made,
        running(*SERVICE.jobs(made.app), *SERVICE.background(made.app)),
    ):
        yield made


@pytest_asyncio.fixture
async def world_apart(
    databases: Any, kafka_admin: Any, redis_url: str, scanner: ScannerProcess, tmp_path: Path
) -> AsyncIterator[World]:
    """A service on topics of its own; none of its roles runs, so that a test can run them as processes and kill them."""
    async with (
        own_topics(kafka_admin) as own,
        opened(databases, own, redis_url, scanner, objects_dir=tmp_path) as made,
    ):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_world(
    databases: Any, kafka_admin: Any, redis_url: str, scanner: ScannerProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A service of one module's own, all of whose roles run: what is damaged in it no other test's audit finds."""
    async with (
        own_topics(kafka_admin) as own,
        opened(databases, own, redis_url, scanner, objects_dir=tmp_path_factory.mktemp("objects")) as made,
        running(*runners_of(made.app)),
    ):
        yield made


@pytest_asyncio.fixture
async def still_world(world_apart: World) -> AsyncIterator[World]:
    """It takes messages, and nothing works by the clock: a test calls the jobs itself."""
    async with running(*SERVICE.background(world_apart.app)):
        yield world_apart


@pytest.fixture(scope="session")
def world(disk_world: World) -> World:
    return disk_world
