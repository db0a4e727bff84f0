"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from asyncpg import Connection
from redis.asyncio import Redis

from chassis.paging import Cursors
from chassis.postgres import Database
from chassis.redis import Hints, connect
from chassis.tokens import Revocations, TokenVerifier
from commerce.adapters.announcer import OutboxAnnouncer
from commerce.adapters.cart_store import PgCartStore
from commerce.adapters.order_store import PgOrderStore
from commerce.adapters.product_cache import ProductCache
from commerce.adapters.product_store import PgProductStore
from commerce.adapters.shop_store import PgCategoryStore, PgShopStore
from commerce.adapters.stock_store import PgStockStore
from commerce.domain.ids import CheckoutId, ProductId
from commerce.settings import CommerceSettings
from eventing import KafkaConfig, Outbox, OutboxConfig, Wakeups
from kernel.clock import Clock, SystemClock
from operations import kafka_config

SERVICE = "commerce"


@dataclass(slots=True)
class PgHints:
    """Collected during the transaction, sent after its commit."""

    products: set[ProductId] = field(default_factory=set)
    checkouts: set[CheckoutId] = field(default_factory=set)

    def product_changed(self, product_id: ProductId) -> None:
        self.products.add(product_id)

    def checkouts_moved(self, checkout_ids: Iterable[CheckoutId]) -> None:
        self.checkouts.update(checkout_ids)


@dataclass(frozen=True, slots=True)
class PgCommerceTx:
    """One transaction of the commerce service."""

    conn: Connection
    outbox: Outbox
    now: datetime
    shops: PgShopStore
    categories: PgCategoryStore
    products: PgProductStore
    stock: PgStockStore
    carts: PgCartStore
    orders: PgOrderStore
    announce: OutboxAnnouncer
    hints: PgHints

    @classmethod
    def on(cls, conn: Connection, outbox: Outbox, now: datetime) -> PgCommerceTx:
        return cls(
            conn=conn,
            outbox=outbox,
            now=now,
            shops=PgShopStore(conn),
            categories=PgCategoryStore(conn),
            products=PgProductStore(conn),
            stock=PgStockStore(conn),
            carts=PgCartStore(conn),
            orders=PgOrderStore(conn),
            announce=OutboxAnnouncer(outbox),
            hints=PgHints(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything a running role needs."""

    settings: CommerceSettings
    database: Database
    redis: Redis
    revocations: Revocations
    verifier: TokenVerifier
    outbox_config: OutboxConfig
    wakeups: Wakeups
    kafka: KafkaConfig
    cursors: Cursors
    cache: ProductCache
    hints: Hints
    clock: Clock

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[PgCommerceTx]:
        """Commits at the end of the block, events and effects together; then those who wait are told."""
        async with self.database.begin(user_id=user_id) as conn:
            outbox = Outbox(conn, self.outbox_config, self.wakeups)
            tx = PgCommerceTx.on(conn, outbox, self.clock.now())
            yield tx
            await outbox.flush()
        outbox.committed()
        await self._tell(tx.hints)

    async def _tell(self, hints: PgHints) -> None:
        if hints.products:
            await self.cache.drop(list(hints.products))
        for checkout_id in hints.checkouts:
            await self.hints.publish(checkout_channel(checkout_id))


def checkout_channel(checkout_id: CheckoutId) -> str:
    """Where those who wait for a checkout listen."""
    return f"checkout:{checkout_id}"


@asynccontextmanager
async def wire(settings: CommerceSettings) -> AsyncIterator[App]:
    """Open what the service stands on; close it in reverse."""
    database = await Database.connect(settings)
    redis = connect(settings.redis_url)
    hints = Hints(redis, prefix=f"{SERVICE}:hints")
    revocations = Revocations(redis)
    wakeups = Wakeups(settings.database_dsn.get_secret_value(), settings.database_schema)
    try:
        yield App(
            settings=settings,
            database=database,
            redis=redis,
            revocations=revocations,
            verifier=TokenVerifier(settings.jwks_url, settings.jwt_issuer, settings.jwt_audience, revocations),
            outbox_config=OutboxConfig(schema=settings.database_schema, source=SERVICE),
            wakeups=wakeups,
            kafka=kafka_config(settings, SERVICE),
            cursors=Cursors(settings.cursor_secret.get_secret_value()),
            cache=ProductCache(redis),
            hints=hints,
            clock=SystemClock(),
        )
    finally:
        await wakeups.close()
        await hints.close()
        await redis.aclose()
        await database.close()
