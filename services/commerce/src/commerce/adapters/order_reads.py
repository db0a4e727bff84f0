"""What people read about orders and checkouts. Whose they are is asked in every query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from asyncpg import Record

from chassis.postgres import Connection
from commerce.adapters.metrics import What, note_unreadable
from commerce.adapters.order_store import CHECKOUT_COLUMNS, ORDER_COLUMNS, checkout_of, order_of
from commerce.adapters.shop_store import texts_by_name
from commerce.domain.address import Address
from commerce.domain.checkout import CheckoutNotFoundError, PlacedCheckout
from commerce.domain.ids import CheckoutId, OrderId, ShopId, UserId
from commerce.domain.order import FactKind, OrderFact, OrderLine, OrderNotFoundError, OrderPlacement, OrderStatus
from commerce.domain.totals import LineTotals, OrderTotals
from kernel.country import Country
from kernel.rows import object_of

Position: TypeAlias = tuple[datetime, UUID]

_PLACEMENT_COLUMNS = f"""
    {ORDER_COLUMNS}, subtotal_minor, discount_minor, tax_minor, shipping_minor, prices_include_tax, ship_to, note,
    placed_at
"""

ORDER: Final = f"SELECT {_PLACEMENT_COLUMNS} FROM orders WHERE id = $1 AND $2 IN (buyer_id, seller_id)"
CHECKOUT: Final = f"SELECT {CHECKOUT_COLUMNS} FROM checkout WHERE id = $1 AND buyer_id = $2"
ORDERS_OF_CHECKOUT: Final = f"SELECT {_PLACEMENT_COLUMNS} FROM orders WHERE checkout_id = $1 ORDER BY id"
IS_PENDING: Final = "SELECT true FROM checkout WHERE id = $1 AND buyer_id = $2 AND payment_status = 'pending'"
IS_KNOWN: Final = "SELECT true FROM orders WHERE id = $1 AND $2 IN (buyer_id, seller_id)"
FACTS: Final = """
    SELECT version, kind, previous_status, reason_code, at FROM order_fact WHERE order_id = $1
    ORDER BY version
"""
LINES: Final = """
    SELECT order_id, id, product_id, variant_id, sku, title, options, quantity, unit_price_minor, tax_class,
           tax_rate_bp, subtotal_minor, discount_minor, tax_minor, total_minor
    FROM order_line WHERE order_id = ANY($1::uuid[]) ORDER BY order_id, position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummary:
    """An order in a list."""

    order_id: UUID
    number: str
    checkout_id: UUID
    shop_id: UUID
    shop_name: str
    status: str
    payment_status: str
    cancel_reason: str
    total_minor: int
    currency: str
    placed_at: datetime


async def read_order(conn: Connection, order_id: OrderId, user_id: UserId) -> OrderPlacement:
    """The order, for its buyer and its seller. Raises ``OrderNotFoundError``."""
    rows = await conn.fetch(ORDER, order_id, user_id)
    if not rows:
        raise OrderNotFoundError
    [placement] = await _placements(conn, rows)
    return placement


async def read_checkout(conn: Connection, checkout_id: CheckoutId, user_id: UserId) -> PlacedCheckout:
    """The checkout with its orders, for its buyer. Raises ``CheckoutNotFoundError``."""
    row = await conn.fetchrow(CHECKOUT, checkout_id, user_id)
    if row is None:
        raise CheckoutNotFoundError
    rows = await conn.fetch(ORDERS_OF_CHECKOUT, checkout_id)
    return PlacedCheckout(checkout=checkout_of(row), placements=tuple(await _placements(conn, rows)))


async def is_payment_decided(conn: Connection, checkout_id: CheckoutId, user_id: UserId) -> bool:
    """True unless the payment of the buyer's checkout is pending: a cheap query for requests that wait."""
    return not await conn.fetchval(IS_PENDING, checkout_id, user_id)


async def read_timeline(conn: Connection, order_id: OrderId, user_id: UserId) -> list[OrderFact]:
    """The order's facts, oldest first, for its buyer and its seller. Raises ``OrderNotFoundError``."""
    if not await conn.fetchval(IS_KNOWN, order_id, user_id):
        raise OrderNotFoundError
    rows = await conn.fetch(FACTS, order_id)
    return [
        object_of(OrderFact, row, kind=FactKind(row["kind"]), previous_status=OrderStatus(row["previous_status"]))
        for row in rows
    ]


async def list_bought(
    conn: Connection, buyer_id: UserId, *, status: str | None, before: Position | None, limit: int
) -> list[OrderSummary]:
    """At most ``limit`` orders of a buyer, newest first, placed before ``before``."""
    return await _list(conn, "buyer_id", buyer_id, status=status, before=before, limit=limit)


async def list_sold(
    conn: Connection, shop_id: ShopId, *, status: str | None, before: Position | None, limit: int
) -> list[OrderSummary]:
    """At most ``limit`` orders of a shop, newest first, placed before ``before``."""
    return await _list(conn, "shop_id", shop_id, status=status, before=before, limit=limit)


async def _list(
    conn: Connection, owner: str, owner_id: UUID, *, status: str | None, before: Position | None, limit: int
) -> list[OrderSummary]:
    values: list[Any] = [owner_id, limit]
    where = f"{owner} = $1"
    if status:
        values.append(status)
        where += f" AND status = ${len(values)}"
    if before:
        values += before
        where += f" AND (placed_at, id) < (${len(values) - 1}, ${len(values)})"
    rows = await conn.fetch(
        f"""
        SELECT id AS order_id, number, checkout_id, shop_id, shop_name, status, payment_status, cancel_reason,
               total_minor, currency, placed_at
        FROM orders WHERE {where} ORDER BY placed_at DESC, id DESC LIMIT $2
        """,
        *values,
    )
    return [OrderSummary(**dict(row)) for row in rows]


async def _placements(conn: Connection, rows: Sequence[Record]) -> list[OrderPlacement]:
    if not rows:
        return []
    lines = await conn.fetch(LINES, [row["id"] for row in rows])
    by_order: dict[UUID, list[Record]] = defaultdict(list)
    for line in lines:
        by_order[line["order_id"]].append(line)
    return [_placement(row, by_order[row["id"]]) for row in rows]


def _placement(row: Record, lines: Sequence[Record]) -> OrderPlacement:
    return object_of(
        OrderPlacement,
        row,
        order=order_of(row),
        lines=tuple(object_of(OrderLine, line, options=_options(line)) for line in lines),
        totals=object_of(OrderTotals, row, lines=tuple(object_of(LineTotals, line) for line in lines)),
        ship_to=_address(row["ship_to"], row["id"]),
    )


def _options(row: Record) -> dict[str, str]:
    try:
        return texts_by_name(row["options"])
    except ValueError:
        note_unreadable(What.ORDER, field="options", order_id=row["order_id"], line_id=row["id"])
        return {}


def _address(value: Any, order_id: UUID) -> Address | None:
    if value is None:
        return None
    try:
        parts = texts_by_name(value)
        return Address(**{**parts, "country": Country(parts["country"])})  # type: ignore[arg-type]
    except (ValueError, TypeError, KeyError):
        note_unreadable(What.ORDER, field="ship_to", order_id=order_id)
        return None
