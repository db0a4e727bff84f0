"""The tree of categories in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asyncpg import Record

from chassis.postgres import OnConnection
from commerce.adapters.metrics import What, note_unreadable
from commerce.adapters.shop_store import texts_of, texts_row
from commerce.domain.category import Category, CategoryTree
from commerce.domain.texts import LocalisedText
from kernel.rows import object_of

ALL: Final = "SELECT id, parent_id, slug, titles, position FROM category"
PUT: Final = """
    INSERT INTO category (id, parent_id, slug, titles, position) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (id) DO UPDATE SET parent_id = excluded.parent_id, slug = excluded.slug,
        titles = excluded.titles, position = excluded.position
"""


class CategoryStore(OnConnection):
    """Implements ``CategoryStore``."""

    async def tree(self) -> CategoryTree:
        rows = await self._conn.fetch(ALL)
        return CategoryTree(map(_category, rows))

    async def put(self, categories: Sequence[Category]) -> None:
        """Add or renew, parents before children."""
        await self._conn.executemany(
            PUT, [(each.id, each.parent_id, each.slug, texts_row(each.titles), each.position) for each in categories]
        )


def _category(row: Record) -> Category:
    try:
        titles = texts_of(row["titles"])
    except ValueError:
        note_unreadable(What.CATEGORY, field="titles", category_id=row["id"])
        titles = None
    return object_of(Category, row, titles=titles or LocalisedText({"en": row["slug"]}))
