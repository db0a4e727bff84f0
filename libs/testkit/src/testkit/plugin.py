"""pytest fixtures over the infrastructure: each test owns its data, whatever runs beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from testkit.containers import container_infra, containers_wanted
from testkit.databases import Databases, ServiceDatabase
from testkit.infra import Infra, local_infra

if TYPE_CHECKING:
    from eventing import KafkaConfig
    from testkit.s3 import S3Server


@pytest.fixture(scope="session")
def infra() -> Iterator[Infra]:
    """Real Postgres, Redis and Kafka."""
    if containers_wanted():
        with container_infra() as facts:
            yield facts
    else:
        yield local_infra()


@pytest.fixture(scope="session")
def postgres_admin_dsn(infra: Infra) -> str:
    return infra.postgres_admin_dsn


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases(infra: Infra) -> AsyncIterator[Databases]:
    """Makes migrated databases; drops them at the end of the session."""
    made = Databases(infra.postgres_admin_dsn)
    yield made
    await made.drop_all()


@pytest.fixture(scope="session")
def database(databases: Databases) -> Callable[[str], Awaitable[ServiceDatabase]]:
    """``await database("payment")``: a fresh, migrated database of a service."""
    return databases.create


@pytest.fixture(scope="session")
def redis_url(infra: Infra) -> str:
    """A Redis; keys of tests carry unique ids, so it is shared."""
    return infra.redis_url


@pytest.fixture(scope="session")
def kafka_admin(infra: Infra) -> KafkaConfig:
    """The broker without a prefix and without topics."""
    from eventing import KafkaConfig  # noqa: PLC0415 -- unit tests load this plugin too

    return KafkaConfig(
        bootstrap=infra.kafka_bootstrap,
        username=infra.kafka_username,
        password=infra.kafka_password,
        topic_prefix="",
        client_id="testkit",
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka(kafka_admin: KafkaConfig) -> AsyncIterator[KafkaConfig]:
    """The broker with topics of this session's own. Who hears every service overrides it: others' tests publish too."""
    from testkit.topics import own_topics  # noqa: PLC0415 -- unit tests load this plugin too

    async with own_topics(kafka_admin) as config:
        yield config


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def s3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[S3Server]:
    """An S3 server, a process of its own that can be killed and started again; whoever kills it starts it."""
    from testkit.s3 import S3Server  # noqa: PLC0415 -- unit tests load this plugin too

    async with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server
