"""Shops as readers get them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.postgres import Connection
from commerce.adapters.shop_store import SHOP_COLUMNS, ShopStore, shop_of
from commerce.domain.ids import ShopId
from commerce.domain.shop import Shop, ShopNotFoundError
from kernel.country import Country


async def read_shop(conn: Connection, shop_id: ShopId) -> Shop:
    """The shop whatever its status. Raises ``ShopNotFoundError``."""
    shop = await ShopStore(conn).get(shop_id)
    if shop is None:
        raise ShopNotFoundError
    return shop


async def list_shops(
    conn: Connection,
    *,
    country: Country | None,
    owner_id: UUID | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Shop]:
    """At most ``limit`` open shops, newest first, of those opened before ``before``."""
    values: list[Any] = [limit]
    where = ["status = 'open'"]
    if country:
        values.append(country)
        where.append(f"country = ${len(values)}")
    if owner_id:
        values.append(owner_id)
        where.append(f"owner_id = ${len(values)}")
    if before:
        values += before
        where.append(f"(created_at, id) < (${len(values) - 1}, ${len(values)})")
    rows = await conn.fetch(
        f"""
        SELECT {SHOP_COLUMNS} FROM shop WHERE {" AND ".join(where)}
        ORDER BY created_at DESC, id DESC LIMIT $1
        """,
        *values,
    )
    return [shop_of(row) for row in rows]
