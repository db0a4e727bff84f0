"""Shops and categories in Postgres."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import asyncpg
from asyncpg import Connection, Record

from commerce.domain.category import Category, CategoryTree
from commerce.domain.ids import CategoryId, ShopId, UserId
from commerce.domain.shop import Shop, ShopSlugTakenError, ShopStatus
from commerce.domain.texts import LocalisedText
from kernel.country import Country
from kernel.money import Currency

SHOP_COLUMNS = """
    id, owner_id, slug, name, descriptions, country, currency, language, prices_include_tax, status, version,
    created_at
"""


class ShopStore:
    """Implements ``ShopStore``."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def add(self, shop: Shop) -> None:
        """Raises ``ShopSlugTakenError``."""
        try:
            await self._conn.execute(
                f"""
                INSERT INTO shop ({SHOP_COLUMNS})
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                """,
                shop.id,
                shop.owner_id,
                shop.slug,
                shop.name,
                texts_row(shop.descriptions),
                shop.country,
                shop.currency,
                shop.language,
                shop.prices_include_tax,
                shop.status,
                shop.version,
                shop.created_at,
            )
        except asyncpg.UniqueViolationError as error:
            raise ShopSlugTakenError(pointer="/slug") from error

    async def get(self, shop_id: ShopId) -> Shop | None:
        row = await self._conn.fetchrow(f"SELECT {SHOP_COLUMNS} FROM shop WHERE id = $1", shop_id)
        return shop_of(row) if row else None

    async def lock(self, shop_id: ShopId) -> Shop | None:
        """The shop as it stays until this transaction ends."""
        row = await self._conn.fetchrow(f"SELECT {SHOP_COLUMNS} FROM shop WHERE id = $1 FOR SHARE", shop_id)
        return shop_of(row) if row else None

    async def close_all(self, owner_id: UserId) -> list[ShopId]:
        """The owner's shops that were not closed before."""
        rows = await self._conn.fetch(
            """
            UPDATE shop SET status = 'closed', version = version + 1
            WHERE owner_id = $1 AND status <> 'closed' RETURNING id
            """,
            owner_id,
        )
        return [ShopId(row["id"]) for row in rows]

    async def get_many(self, shop_ids: Collection[ShopId]) -> dict[ShopId, Shop]:
        rows = await self._conn.fetch(f"SELECT {SHOP_COLUMNS} FROM shop WHERE id = ANY($1::uuid[])", list(shop_ids))
        return {shop.id: shop for shop in map(shop_of, rows)}


class CategoryStore:
    """Implements ``CategoryStore``."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def tree(self) -> CategoryTree:
        rows = await self._conn.fetch("SELECT id, parent_id, slug, titles, position FROM category")
        return CategoryTree(map(_category, rows))

    async def put(self, categories: Sequence[Category]) -> None:
        """Add or renew, parents before children."""
        await self._conn.executemany(
            """
            INSERT INTO category (id, parent_id, slug, titles, position) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (id) DO UPDATE SET parent_id = excluded.parent_id, slug = excluded.slug,
                titles = excluded.titles, position = excluded.position
            """,
            [(each.id, each.parent_id, each.slug, texts_row(each.titles), each.position) for each in categories],
        )


def texts_row(texts: LocalisedText | None) -> dict[str, str] | None:
    return dict(texts.by_language) if texts else None


def texts_of(value: Mapping[str, str] | None) -> LocalisedText | None:
    return LocalisedText(value) if value else None


def shop_of(row: Record | Mapping[str, Any]) -> Shop:
    return Shop(
        id=ShopId(row["id"]),
        owner_id=UserId(row["owner_id"]),
        slug=row["slug"],
        name=row["name"],
        descriptions=texts_of(row["descriptions"]),
        country=Country(row["country"]),
        currency=Currency(row["currency"]),
        language=row["language"],
        prices_include_tax=row["prices_include_tax"],
        status=ShopStatus(row["status"]),
        version=row["version"],
        created_at=row["created_at"],
    )


def _category(row: Record) -> Category:
    parent_id = row["parent_id"]
    return Category(
        id=CategoryId(row["id"]),
        parent_id=CategoryId(parent_id) if parent_id else None,
        slug=row["slug"],
        titles=LocalisedText(row["titles"]),
        position=row["position"],
    )
