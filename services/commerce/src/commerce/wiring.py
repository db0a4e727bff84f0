"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Connection

from commerce.adapters.account_store import AccountStore
from commerce.adapters.cart_store import CartStore
from commerce.adapters.events import Events
from commerce.adapters.order_store import OrderStore
from commerce.adapters.product_cache import ProductCache
from commerce.adapters.product_store import ProductStore
from commerce.adapters.shop_store import CategoryStore, ShopStore
from commerce.adapters.stock_store import StockStore
from commerce.domain.ids import CheckoutId, ProductId
from commerce.settings import CommerceSettings
from eventing import Outbox
from operations import Parts, open_parts

NAME: Final = "commerce"


@dataclass(slots=True)
class Hints:
    """Collected during the transaction, sent after its commit."""

    products: set[ProductId] = field(default_factory=set)
    checkouts: set[CheckoutId] = field(default_factory=set)

    def product_changed(self, product_id: ProductId) -> None:
        self.products.add(product_id)

    def checkouts_settled(self, checkout_ids: Iterable[CheckoutId]) -> None:
        self.checkouts.update(checkout_ids)


@dataclass(frozen=True, slots=True)
class CommerceTx:
    """One transaction of the commerce service."""

    conn: Connection
    outbox: Outbox
    now: datetime
    accounts: AccountStore
    shops: ShopStore
    categories: CategoryStore
    products: ProductStore
    stock: StockStore
    carts: CartStore
    orders: OrderStore
    events: Events
    hints: Hints

    @classmethod
    def on(cls, conn: Connection, outbox: Outbox, now: datetime) -> CommerceTx:
        return cls(
            conn=conn,
            outbox=outbox,
            now=now,
            accounts=AccountStore(conn),
            shops=ShopStore(conn),
            categories=CategoryStore(conn),
            products=ProductStore(conn),
            stock=StockStore(conn),
            carts=CartStore(conn),
            orders=OrderStore(conn),
            events=Events(outbox),
            hints=Hints(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything a running role needs."""

    settings: CommerceSettings
    cache: ProductCache

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[CommerceTx]:
        """Commits at the end of the block, events and effects together; then those who wait are told."""
        async with self.transaction(user_id) as (conn, outbox):
            tx = CommerceTx.on(conn, outbox, self.clock.now())
            yield tx
        await self._tell(tx.hints)

    async def _tell(self, hints: Hints) -> None:
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
    async with open_parts(settings, NAME) as opened:
        yield App(**opened.parts(), settings=settings, cache=ProductCache(opened.redis))
