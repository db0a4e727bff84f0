"""One commerce per test session on real Postgres, Redis and Kafka; each test makes its own shops and buyers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from commerce.__main__ import SERVICE
from commerce.wiring import App
from commerce_testing.people import People, Person
from commerce_testing.running import settings_on, wired
from eventing import KafkaConfig
from kernel.country import Country
from operations import make_service_app
from testkit.databases import ServiceDatabase
from testkit.issuer import TokenIssuer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service_database(database: Callable[[str], Awaitable[ServiceDatabase]]) -> ServiceDatabase:
    return await database("commerce")


@pytest.fixture(scope="session")
def issuer() -> TokenIssuer:
    return TokenIssuer()


@pytest.fixture(scope="session")
def make_app(redis_url: str, issuer: TokenIssuer) -> Callable[..., AbstractAsyncContextManager[App]]:
    """``async with make_app(dsn)``: a commerce on another database, or on Kafka."""

    def make(dsn: str, kafka: KafkaConfig | None = None) -> AbstractAsyncContextManager[App]:
        return wired(settings_on(dsn, redis_url, kafka), issuer)

    return make


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(service_database: ServiceDatabase, redis_url: str, issuer: TokenIssuer) -> AsyncIterator[App]:
    """Commerce without Kafka: what it would send stays in the outbox."""
    async with wired(settings_on(service_database.dsn, redis_url, None), issuer) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(app: App) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(make_service_app(SERVICE.routes, app))) as made:
        yield made


@pytest.fixture
def people(client: TestClient[Any, Any], issuer: TokenIssuer) -> People:
    """``people()`` signs somebody new in."""

    def person(country: Country = Country.TH) -> Person:
        return Person(client, issuer, country)

    return person


@pytest.fixture
def seller(people: People) -> Person:
    return people()


@pytest.fixture
def buyer(people: People) -> Person:
    return people()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(seller: Person) -> Any:
    return await seller.open_shop()


@pytest_asyncio.fixture(loop_scope="session")
async def product(seller: Person, shop: Any) -> Any:
    return await seller.add_product(shop)
