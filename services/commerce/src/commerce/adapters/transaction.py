"""One transaction of commerce: its stores, its events, its moment, and the hints that follow its commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from chassis.postgres import Connection
from commerce.adapters.account_store import AccountStore
from commerce.adapters.cart_store import CartStore
from commerce.adapters.category_store import CategoryStore
from commerce.adapters.events import Events
from commerce.adapters.order_store import OrderStore
from commerce.adapters.product_store import ProductStore
from commerce.adapters.shop_store import ShopStore
from commerce.adapters.stock_store import StockStore
from commerce.domain.ids import CheckoutId, ProductId
from eventing import Outbox


@dataclass(slots=True)
class Hints:
    """Collected during the transaction, sent after its commit."""

    products: set[ProductId] = field(default_factory=set)
    checkouts: set[CheckoutId] = field(default_factory=set)

    def product_changed(self, product_id: ProductId) -> None:
        self.products.add(product_id)

    def payments_decided(self, checkout_ids: Iterable[CheckoutId]) -> None:
        self.checkouts.update(checkout_ids)


@dataclass(frozen=True, slots=True)
class CommerceTx:
    """Implements ``Tx``. ``now`` is read once, when it begins."""

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
        products = ProductStore(conn)
        return cls(
            conn=conn,
            outbox=outbox,
            now=now,
            accounts=AccountStore(conn),
            shops=ShopStore(conn),
            categories=CategoryStore(conn),
            products=products,
            stock=StockStore(conn),
            carts=CartStore(conn),
            orders=OrderStore(conn),
            events=Events(outbox, products),
            hints=Hints(),
        )
