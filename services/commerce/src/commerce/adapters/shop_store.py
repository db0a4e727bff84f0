"""Shops in Postgres."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import asyncpg
from asyncpg import Record

from chassis.postgres import OnConnection
from commerce.adapters.metrics import What, note_unreadable
from commerce.domain.ids import ShopId, UserId
from commerce.domain.shop import Shop, ShopSlugTakenError, ShopStatus
from commerce.domain.texts import LocalisedText
from kernel.country import Country
from kernel.money import Currency
from kernel.rows import object_of, values_of

SHOP_COLUMNS = """
    id, owner_id, slug, name, descriptions, country, currency, language, prices_include_tax, status, version,
    created_at
"""

ADD: Final = f"""
    INSERT INTO shop ({SHOP_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
GET: Final = f"SELECT {SHOP_COLUMNS} FROM shop WHERE id = $1"
LOCK: Final = f"SELECT {SHOP_COLUMNS} FROM shop WHERE id = $1 FOR SHARE"
CLOSE_ALL: Final = """
    UPDATE shop SET status = 'closed', version = version + 1
    WHERE owner_id = $1 AND status <> 'closed' RETURNING id
"""
GET_MANY: Final = f"SELECT {SHOP_COLUMNS} FROM shop WHERE id = ANY($1::uuid[])"


class ShopStore(OnConnection):
    """Implements ``ShopStore``."""

    async def add(self, shop: Shop) -> None:
        """Raises ``ShopSlugTakenError``."""
        try:
            values = values_of(shop, SHOP_COLUMNS, descriptions=texts_row(shop.descriptions))
            await self._conn.execute(ADD, *values)
        except asyncpg.UniqueViolationError as error:
            raise ShopSlugTakenError(pointer="/slug") from error

    async def get(self, shop_id: ShopId) -> Shop | None:
        row = await self._conn.fetchrow(GET, shop_id)
        return shop_of(row) if row else None

    async def lock(self, shop_id: ShopId) -> Shop | None:
        """The shop as it stays until this transaction ends."""
        row = await self._conn.fetchrow(LOCK, shop_id)
        return shop_of(row) if row else None

    async def close_all(self, owner_id: UserId) -> list[ShopId]:
        """The owner's shops that were not closed before."""
        rows = await self._conn.fetch(CLOSE_ALL, owner_id)
        return [ShopId(row["id"]) for row in rows]

    async def get_many(self, shop_ids: Collection[ShopId]) -> dict[ShopId, Shop]:
        rows = await self._conn.fetch(GET_MANY, list(shop_ids))
        return {shop.id: shop for shop in map(shop_of, rows)}


def texts_row(texts: LocalisedText | None) -> dict[str, str] | None:
    return dict(texts.by_language) if texts else None


def texts_by_name(value: Any) -> dict[str, str]:
    """A stored object of texts. Raises ``ValueError`` for JSON of another shape."""
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("an object of texts is expected")
    return value


def texts_of(value: Any) -> LocalisedText | None:
    """Raises ``ValueError`` for JSON of another shape."""
    texts = texts_by_name(value) if value is not None else None
    return LocalisedText(texts) if texts else None


def _descriptions(row: Record | Mapping[str, Any]) -> LocalisedText | None:
    try:
        return texts_of(row["descriptions"])
    except ValueError:
        note_unreadable(What.SHOP, field="descriptions", shop_id=row["id"])
        return None


def shop_of(row: Record | Mapping[str, Any]) -> Shop:
    return object_of(
        Shop,
        row,
        descriptions=_descriptions(row),
        country=Country(row["country"]),
        currency=Currency(row["currency"]),
        status=ShopStatus(row["status"]),
    )
