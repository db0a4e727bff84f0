"""Carts in Postgres: one row per person and variant."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from chassis.postgres import OnConnection
from commerce.domain.cart import CartItem, Price
from commerce.domain.ids import UserId, VariantId
from kernel.money import Currency
from kernel.rows import object_of

ITEMS: Final = """
    SELECT variant_id, quantity, price_minor, currency FROM cart_item
    WHERE user_id = $1 ORDER BY added_at, variant_id
"""
PUT: Final = """
    INSERT INTO cart_item (user_id, variant_id, quantity, price_minor, currency, added_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (user_id, variant_id) DO UPDATE
    SET quantity = excluded.quantity, price_minor = excluded.price_minor, currency = excluded.currency
"""
CLEAR: Final = "DELETE FROM cart_item WHERE user_id = $1"
REMOVE: Final = "DELETE FROM cart_item WHERE user_id = $1 AND variant_id = ANY($2::uuid[])"


class CartStore(OnConnection):
    """Implements ``CartStore``."""

    async def items(self, user_id: UserId) -> list[CartItem]:
        rows = await self._conn.fetch(ITEMS, user_id)
        return [
            object_of(CartItem, row, price=Price(amount_minor=row["price_minor"], currency=Currency(row["currency"])))
            for row in rows
        ]

    async def put(self, user_id: UserId, item: CartItem, at: datetime) -> None:
        await self._conn.execute(
            PUT, user_id, item.variant_id, item.quantity, item.price.amount_minor, item.price.currency, at
        )

    async def clear(self, user_id: UserId) -> None:
        await self._conn.execute(CLEAR, user_id)

    async def remove(self, user_id: UserId, variant_ids: Collection[VariantId]) -> None:
        await self._conn.execute(REMOVE, user_id, list(variant_ids))
