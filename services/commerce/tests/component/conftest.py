"""One commerce per test session on real Postgres, Redis and Kafka; each test makes its own shops and buyers."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from commerce.domain.ids import CheckoutId
from commerce.entrypoints.app import application
from commerce.settings import CommerceSettings
from commerce.wiring import App, wire
from commerce_testing import Tokens, product_body
from eventing import KafkaConfig
from kernel.country import Country
from testkit.databases import ServiceDatabase


@dataclasses.dataclass
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        return str(self.body["code"])


class Person:
    """A signed-in user of the API."""

    def __init__(self, client: TestClient[Any, Any], tokens: Tokens, country: Country) -> None:
        self.id = uuid4()
        self.country = country
        self._client = client
        self._authorization = f"Bearer {tokens.token(self.id, country=country)}"

    def at(self, client: TestClient[Any, Any]) -> Person:
        """The same person at another client."""
        twin = copy.copy(self)
        twin._client = client
        return twin

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._client.request(
            method, path, json=body, headers={"Authorization": self._authorization, **named}
        ) as response:
            parsed = await response.json() if response.content_length else None
            return Answer(response.status, parsed, response.headers)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.call("GET", path, **headers)

    async def make(self, path: str, body: Any, **headers: str) -> Any:
        """POST that must succeed."""
        answer = await self.call("POST", path, body, **headers)
        assert answer.status < 300, answer
        return answer.body

    async def open_shop(self, **parts: Any) -> Any:
        return await self.make("/v1/shops", {"name": "Silk House", "country": self.country.value, **parts})

    async def add_product(self, shop: Any, **parts: Any) -> Any:
        body = product_body(currency=shop["currency"], **parts)
        return await self.make(f"/v1/shops/{shop['shop_id']}/products", body)

    async def order(self, *lines: tuple[str, int], key: str | None = None, **parts: Any) -> Answer:
        body: dict[str, Any] = dict(parts)
        if lines:
            body["lines"] = [{"variant_id": variant_id, "quantity": quantity} for variant_id, quantity in lines]
        return await self.call("POST", "/v1/orders", body, Idempotency_Key=key or uuid4().hex)

    async def place(self, *lines: tuple[str, int], **parts: Any) -> CheckoutId:
        """An order that must be accepted; its checkout."""
        answer = await self.order(*lines, **parts)
        assert answer.status == 202, answer
        return CheckoutId(UUID(answer.body["checkout_id"]))


def variant_of(product: Any, index: int = 0) -> str:
    return str(product["variants"][index]["variant_id"])


People = Callable[..., Person]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service_database(database: Callable[[str], Awaitable[ServiceDatabase]]) -> ServiceDatabase:
    return await database("commerce")


def settings_on(dsn: str, redis_url: str, kafka: KafkaConfig | None) -> CommerceSettings:
    return CommerceSettings(
        environment="test",
        http_port=0,
        ops_port=0,
        database_dsn=dsn,
        database_pool_max=20,
        database_lock_timeout_s=30,  # clients and lock holders are one process here, which may stand still
        redis_url=redis_url,
        kafka_bootstrap=kafka.bootstrap if kafka else "127.0.0.1:1",
        kafka_username=kafka.username if kafka else None,
        kafka_password=kafka.password if kafka else None,
        kafka_topic_prefix=kafka.topic_prefix if kafka else "",
        jwks_url="http://127.0.0.1:1/",
        cursor_secret="test-only-cursor-secret-of-32-bytes",
    )


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    return Tokens()


@asynccontextmanager
async def wired(settings: CommerceSettings, tokens: Tokens) -> AsyncIterator[App]:
    async with wire(settings) as app:
        yield dataclasses.replace(app, verifier=tokens.verifier(app.revocations))


@pytest.fixture(scope="session")
def make_app(redis_url: str, tokens: Tokens) -> Callable[..., AbstractAsyncContextManager[App]]:
    """``async with make_app(dsn)``: a commerce on another database, or on Kafka."""

    def make(dsn: str, kafka: KafkaConfig | None = None) -> AbstractAsyncContextManager[App]:
        return wired(settings_on(dsn, redis_url, kafka), tokens)

    return make


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(service_database: ServiceDatabase, redis_url: str, tokens: Tokens) -> AsyncIterator[App]:
    """Commerce without Kafka: what it would send stays in the outbox."""
    async with wired(settings_on(service_database.dsn, redis_url, None), tokens) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(app: App) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(application(app))) as made:
        yield made


@pytest.fixture
def people(client: TestClient[Any, Any], tokens: Tokens) -> People:
    """``people()`` signs somebody new in."""

    def person(country: Country = Country.TH) -> Person:
        return Person(client, tokens, country)

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


@asynccontextmanager
async def running(*runners: Any) -> AsyncIterator[None]:
    """Run roles until the block ends, then let them drain."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(runner.run(stop)) for runner in runners]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)
