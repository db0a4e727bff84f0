"""Checkouts and their orders in Postgres, many at a time.

A checkout's row is locked before anything of it changes; locks are taken in order of id, checkouts before
stock. An order is written only over the version that was read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Final

from asyncpg import Record

from chassis.postgres import OnConnection
from chassis.writes import Write, write_later, write_together
from commerce.domain.account import AccountEndedError
from commerce.domain.checkout import Checkout, StockState
from commerce.domain.ids import CheckoutId, OrderId
from commerce.domain.order import Order, OrderChangedMeanwhileError, OrderPlacement, OrderStatus, PaymentStatus
from commerce.domain.shop import ShopClosedError
from commerce.domain.totals import ROUNDING_RULE
from kernel.country import Country
from kernel.errors import DomainError
from kernel.money import Currency
from kernel.rows import columns_of, object_of

CHECKOUT_COLUMNS = """
    id, buyer_id, currency, total_minor, demand_variant_ids, demand_quantities, stock_state, payment_status,
    cancel_requested_at, placed_at
"""
ORDER_COLUMNS = """
    id, number, checkout_id, buyer_id, shop_id, shop_name, seller_id, country, currency, total_minor,
    status, payment_status, cancel_reason, version
"""

NEXT_NUMBERS: Final = """
    SELECT nextval(format('order_number_%s_%s', lower(country), $2::int)::regclass) AS number
    FROM unnest($1::text[]) WITH ORDINALITY AS wanted (country, place) ORDER BY place
"""
LOCK_CHECKOUTS: Final = f"""
    SELECT {CHECKOUT_COLUMNS} FROM checkout WHERE id = ANY($1::uuid[])
    ORDER BY id FOR NO KEY UPDATE
"""
ORDERS_OF: Final = f"SELECT {ORDER_COLUMNS} FROM orders WHERE checkout_id = ANY($1::uuid[]) ORDER BY id"
ABANDONED: Final = """
    SELECT o.checkout_id, bool_or(s.status = 'closed') AS closed FROM orders o JOIN shop s ON s.id = o.shop_id
    WHERE o.checkout_id = ANY($1::uuid[]) AND (
        s.status = 'closed' OR EXISTS (SELECT 1 FROM account_ended e WHERE e.user_id = o.buyer_id))
    GROUP BY o.checkout_id
"""
GET: Final = f"SELECT {ORDER_COLUMNS} FROM orders WHERE id = $1"
LOCK: Final = f"SELECT {ORDER_COLUMNS} FROM orders WHERE id = $1 FOR NO KEY UPDATE"
SAVE_CHECKOUTS: Final = """
    UPDATE checkout SET stock_state = new.stock_state, payment_status = new.payment_status,
                        cancel_requested_at = new.cancel_requested_at
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
         AS new (id, stock_state, payment_status, cancel_requested_at)
    WHERE checkout.id = new.id
"""
UPDATE_ORDERS: Final = """
    UPDATE orders SET status = new.status, payment_status = new.payment_status,
                      cancel_reason = new.cancel_reason, version = new.version
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
         AS new (id, status, payment_status, cancel_reason, version, version_read)
    WHERE orders.id = new.id AND orders.version = new.version_read
"""
ADD_CHECKOUT: Final = """
    INSERT INTO checkout (id, buyer_id, currency, total_minor, demand_variant_ids, demand_quantities,
                          stock_state, payment_status, placed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
ADD_ORDER: Final = """
    INSERT INTO orders (id, number, checkout_id, buyer_id, shop_id, shop_name, seller_id, country,
        currency, exponent, prices_include_tax, rounding_rule, subtotal_minor, discount_minor,
        tax_minor, shipping_minor, total_minor, status, payment_status, cancel_reason, ship_to, note,
        version, placed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
            $21, $22, $23, $24)
"""
ADD_LINES: Final = """
    INSERT INTO order_line (order_id, position, id, product_id, variant_id, sku, title, options,
        quantity, unit_price_minor, tax_class, tax_rate_bp, subtotal_minor, discount_minor, tax_minor,
        total_minor)
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
        $7::text[], $8::jsonb[], $9::bigint[], $10::bigint[], $11::text[], $12::int[], $13::bigint[],
        $14::bigint[], $15::bigint[], $16::bigint[])
"""
ADD_FACTS: Final = """
    INSERT INTO order_fact (order_id, version, kind, previous_status, reason_code, at)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[],
                         $6::timestamptz[])
"""


class OrderStore(OnConnection):
    """Implements ``OrderStore``."""

    async def next_numbers(self, countries: Sequence[Country], year: int) -> list[str]:
        """One order number for each, e.g. ``TH-26-000123``."""
        rows = await self._conn.fetch(NEXT_NUMBERS, [country.value for country in countries], year)
        return [f"{country}-{year % 100:02d}-{row['number']:06d}" for country, row in zip(countries, rows, strict=True)]

    async def add(self, checkout: Checkout, placements: Sequence[OrderPlacement]) -> None:
        """A new checkout with its orders, their lines and their first facts."""
        await write_later(
            self._conn,
            [
                _new_checkout(checkout),
                *(_new_order(placement) for placement in placements),
                _new_lines(placements),
                _new_facts([placement.order for placement in placements]),
            ],
        )

    async def lock_checkouts(self, checkout_ids: Collection[CheckoutId]) -> list[Checkout]:
        """Those that exist, locked."""
        rows = await self._conn.fetch(LOCK_CHECKOUTS, sorted(checkout_ids))
        return [checkout_of(row) for row in rows]

    async def orders_of(self, checkout_ids: Collection[CheckoutId]) -> list[Order]:
        """All orders of these checkouts, in the order they were placed."""
        rows = await self._conn.fetch(ORDERS_OF, list(checkout_ids))
        return [order_of(row) for row in rows]

    async def abandoned(self, checkout_ids: Collection[CheckoutId]) -> dict[CheckoutId, DomainError]:
        """Of these checkouts those with a closed shop or a buyer whose account ended: checkout → the refusal."""
        rows = await self._conn.fetch(ABANDONED, list(checkout_ids))
        return {
            CheckoutId(row["checkout_id"]): ShopClosedError() if row["closed"] else AccountEndedError() for row in rows
        }

    async def get(self, order_id: OrderId) -> Order | None:
        row = await self._conn.fetchrow(GET, order_id)
        return order_of(row) if row else None

    async def lock(self, order_id: OrderId) -> Order | None:
        """One order, for what concerns it alone: its fulfilment. Its checkout is not locked."""
        row = await self._conn.fetchrow(LOCK, order_id)
        return order_of(row) if row else None

    async def save_checkouts(self, checkouts: Collection[Checkout]) -> None:
        if not checkouts:
            return
        columns = columns_of(checkouts, "id", "stock_state", "payment_status", "cancel_requested_at")
        await write_later(self._conn, [Write(SAVE_CHECKOUTS, columns)])

    async def save(self, orders: Sequence[Order]) -> None:
        """Write what is new of each. Raises ``OrderChangedMeanwhileError`` when another was faster."""
        if not orders:
            return
        moved = Write(
            UPDATE_ORDERS,
            [
                *columns_of(orders, "id", "status", "payment_status", "cancel_reason", "version"),
                [order.version - len(order.facts) for order in orders],
            ],
        )
        if await write_together(self._conn, [_new_facts(orders), moved]) != len(orders):
            raise OrderChangedMeanwhileError


def _new_checkout(checkout: Checkout) -> Write:
    return Write(
        ADD_CHECKOUT,
        [
            checkout.id,
            checkout.buyer_id,
            checkout.currency,
            checkout.total_minor,
            list(checkout.demand),
            list(checkout.demand.values()),
            checkout.stock_state,
            checkout.payment_status,
            checkout.placed_at,
        ],
    )


def _new_order(placement: OrderPlacement) -> Write:
    order, totals = placement.order, placement.totals
    return Write(
        ADD_ORDER,
        [
            order.id,
            order.number,
            order.checkout_id,
            order.buyer_id,
            order.shop_id,
            order.shop_name,
            order.seller_id,
            order.country,
            order.currency,
            order.currency.exponent,
            placement.prices_include_tax,
            ROUNDING_RULE,
            totals.subtotal_minor,
            totals.discount_minor,
            totals.tax_minor,
            totals.shipping_minor,
            totals.total_minor,
            order.status,
            order.payment_status,
            order.cancel_reason,
            asdict(placement.ship_to) if placement.ship_to else None,
            placement.note,
            order.version,
            placement.placed_at,
        ],
    )


def _new_lines(placements: Sequence[OrderPlacement]) -> Write:
    lines = [
        (placement.order.id, position, line, totals)
        for placement in placements
        for position, (line, totals) in enumerate(zip(placement.lines, placement.totals.lines, strict=True))
    ]
    return Write(
        ADD_LINES,
        [
            [order_id for order_id, _, _, _ in lines],
            [position for _, position, _, _ in lines],
            [line.id for _, _, line, _ in lines],
            [line.product_id for _, _, line, _ in lines],
            [line.variant_id for _, _, line, _ in lines],
            [line.sku for _, _, line, _ in lines],
            [line.title for _, _, line, _ in lines],
            [dict(line.options) for _, _, line, _ in lines],
            [line.quantity for _, _, line, _ in lines],
            [line.unit_price_minor for _, _, line, _ in lines],
            [line.tax_class for _, _, line, _ in lines],
            [line.tax_rate_bp for _, _, line, _ in lines],
            [totals.subtotal_minor for _, _, _, totals in lines],
            [totals.discount_minor for _, _, _, totals in lines],
            [totals.tax_minor for _, _, _, totals in lines],
            [totals.total_minor for _, _, _, totals in lines],
        ],
    )


def _new_facts(orders: Sequence[Order]) -> Write:
    facts = [(order.id, fact) for order in orders for fact in order.facts]
    return Write(
        ADD_FACTS,
        [
            [order_id for order_id, _ in facts],
            [fact.version for _, fact in facts],
            [fact.kind for _, fact in facts],
            [fact.previous_status for _, fact in facts],
            [fact.reason_code for _, fact in facts],
            [fact.at for _, fact in facts],
        ],
    )


def checkout_of(row: Record) -> Checkout:
    return object_of(
        Checkout,
        row,
        currency=Currency(row["currency"]),
        demand=dict(zip(row["demand_variant_ids"], row["demand_quantities"], strict=True)),
        stock_state=StockState(row["stock_state"]),
        payment_status=PaymentStatus(row["payment_status"]),
    )


def order_of(row: Record) -> Order:
    return object_of(
        Order,
        row,
        country=Country(row["country"]),
        currency=Currency(row["currency"]),
        status=OrderStatus(row["status"]),
        payment_status=PaymentStatus(row["payment_status"]),
        facts=[],
    )
