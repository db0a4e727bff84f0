"""Product lists and search as readers get them.

Paging goes by (created_at, id) or (price, id), never by offset, so that inserts neither repeat nor hide a row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from commerce.adapters.product_store import titles_or_none
from commerce.domain.ids import CategoryId, ShopId
from commerce.domain.search import SearchQuery, folded
from commerce.domain.texts import LocalisedText
from kernel.country import Country
from kernel.money import Currency

COMMON_FROM: Final = 1_000  # matches; fewer are found by their words and sorted, more are met in the order asked for
CANDIDATES_MAX: Final = 200  # of titles that look alike: comparing costs much, and this answers nobody's first try


class Sort(StrEnum):
    NEWEST = "newest"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"


_ORDER_BY = {
    Sort.NEWEST: "p.created_at DESC, p.id DESC",
    Sort.PRICE_ASC: "p.price_from_minor, p.id",
    Sort.PRICE_DESC: "p.price_from_minor DESC, p.id DESC",
}
_AFTER = {
    Sort.NEWEST: "(p.created_at, p.id) < ({0}, {1})",
    Sort.PRICE_ASC: "(p.price_from_minor, p.id) > ({0}, {1})",
    Sort.PRICE_DESC: "(p.price_from_minor, p.id) < ({0}, {1})",
}
# Units of holds whose time is over can be bought, swept or not. An aggregate, because the planner would answer an
# EXISTS for all products at once and then show twenty of them.
_SELLABLE = """
    coalesce((SELECT bool_or(k.on_hand > k.reserved OR (k.on_hand > 0 AND EXISTS (
                  SELECT 1 FROM stock_hold h WHERE h.variant_id = k.variant_id AND h.expires_at <= {now})))
              FROM stock k WHERE {of}), false)
"""
_OF_PRODUCT = "k.product_id = p.id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    """What to list. None means any."""

    search: SearchQuery | None = None
    shop_id: ShopId | None = None
    category_ids: Collection[CategoryId] | None = None
    country: Country | None = None
    currency: Currency | None = None
    price_min_minor: int | None = None
    price_max_minor: int | None = None
    in_stock: bool = False
    every_status: bool = False
    sort: Sort = Sort.NEWEST

    @property
    def finds_nothing(self) -> bool:
        """Words were typed, and there is no letter or digit in them."""
        return self.search is not None and self.search.empty


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSummary:
    """A product in a list."""

    product_id: UUID
    shop_id: UUID
    shop_name: str
    shop_language: str
    category_id: UUID | None
    titles: LocalisedText | None  # None: damaged
    currency: str
    price_from_minor: int
    price_to_minor: int
    status: str
    country: str
    image: str | None
    in_stock: bool
    created_at: datetime

    def position(self, sort: Sort) -> tuple[datetime | int, UUID]:
        """What the next page starts after."""
        return (self.created_at if sort is Sort.NEWEST else self.price_from_minor), self.product_id


class _Where:
    """Conditions with their values, numbered for asyncpg."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.parts: list[str] = []

    def value(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def add(self, condition: str, *values: Any) -> None:
        self.parts.append(condition.format(*map(self.value, values)))


async def list_products(
    conn: Connection, wanted: ProductFilter, *, now: datetime, after: tuple[datetime | int, UUID] | None, limit: int
) -> list[ProductSummary]:
    """The products that follow ``after`` in the order asked for, at most ``limit``."""
    if wanted.finds_nothing:
        return []
    where = _Where()
    now_value = where.value(now)
    sellable = _SELLABLE.format(now=now_value, of=_OF_PRODUCT)
    found = await _found_by_words(conn, wanted) if wanted.search else None
    if found is not None:
        where.add("p.id = ANY({0}::uuid[])", found)
    _apply(where, wanted, now_value)
    if after:
        where.add(_AFTER[wanted.sort], *after)
    return await _select(conn, where, sellable, order_by=_ORDER_BY[wanted.sort], limit=limit)


async def similar_products(
    conn: Connection, text: str, wanted: ProductFilter, *, now: datetime, limit: int
) -> list[ProductSummary]:
    """Titles that look like the text: for typing errors, when nothing matches exactly."""
    if wanted.finds_nothing:
        return []
    where = _Where()
    now_value = where.value(now)
    sellable = _SELLABLE.format(now=now_value, of=_OF_PRODUCT)
    _apply(where, replace(wanted, search=None), now_value)
    text_value = where.value(folded(text))
    where.add(f"{text_value}::text <% p.title_text")
    order_by = f"word_similarity({text_value}::text, p.title_text) DESC, p.id"
    return await _select(conn, where, sellable, order_by=order_by, limit=limit, candidates_max=CANDIDATES_MAX)


async def _found_by_words(conn: Connection, wanted: ProductFilter) -> list[UUID] | None:
    """Every product that has the words and passes the filters; None when there are ``COMMON_FROM`` or more.

    Looked up, because the planner must guess: for words that go together, and for any word once a plan is kept for all
    of them, it is wrong by a hundred times, and then sorts a fifth of the catalogue or walks through all of it.
    """
    where = _Where()
    _apply(where, replace(wanted, search=None, in_stock=False), "")
    if wanted.search:
        where.add("p.terms @@ {0}::text::tsquery", wanted.search.as_tsquery())
    # A CTE is planned for all its rows, and read only as far as somebody asks.
    rows = await conn.fetch(
        f"""
        WITH found AS MATERIALIZED (SELECT p.id FROM product p WHERE {" AND ".join(where.parts)})
        SELECT id FROM found LIMIT {COMMON_FROM}
        """,
        *where.values,
    )
    return [row["id"] for row in rows] if len(rows) < COMMON_FROM else None


def _apply(where: _Where, wanted: ProductFilter, now: str) -> None:
    if not wanted.every_status:
        where.parts.append("p.status = 'active'")
    _add_prices(where, wanted, now)
    if wanted.search:
        _add_words(where, wanted.search)
    if wanted.category_ids is not None:
        where.add("p.category_id = ANY({0}::uuid[])", list(wanted.category_ids))
    compared = {
        "p.shop_id = {0}": wanted.shop_id,
        "p.country = {0}": wanted.country,
        "p.currency = {0}": wanted.currency,
    }
    for condition, value in compared.items():
        if value is not None:
            where.add(condition, value)


def _add_prices(where: _Where, wanted: ProductFilter, now: str) -> None:
    """Some variant costs that; and with ``in_stock``, that very variant is to be had.

    The product's own columns are asked first: they have an index, and most products are told apart by them.
    """
    within = []
    if wanted.price_min_minor is not None:
        low = where.value(wanted.price_min_minor)
        where.parts.append(f"p.price_to_minor >= {low}")
        within.append(f"v.price_minor >= {low}")
    if wanted.price_max_minor is not None:
        high = where.value(wanted.price_max_minor)
        where.parts.append(f"p.price_from_minor <= {high}")
        within.append(f"v.price_minor <= {high}")
    variants = f"SELECT v.id FROM variant v WHERE {' AND '.join(['v.product_id = p.id', *within])}"
    if wanted.in_stock:
        of = f"k.variant_id IN ({variants})" if within else _OF_PRODUCT
        where.parts.append(_SELLABLE.format(now=now, of=of))
    elif len(within) > 1:
        where.parts.append(f"EXISTS ({variants})")


def _add_words(where: _Where, search: SearchQuery) -> None:
    """Within a CASE, which the planner takes for true of every second row: the index of words was asked before."""
    tests = [f"p.terms @@ {where.value(search.as_tsquery())}::text::tsquery"]
    tests += [f"position({where.value(run)}::text IN p.search_text) > 0" for run in search.runs]
    where.parts.append(f"CASE WHEN {' AND '.join(tests)} THEN true ELSE false END")


async def _select(
    conn: Connection, where: _Where, sellable: str, *, order_by: str, limit: int, candidates_max: int | None = None
) -> list[ProductSummary]:
    condition = " AND ".join(where.parts) or "true"
    if candidates_max is not None:
        table, condition = f"(SELECT p.* FROM product p WHERE {condition} LIMIT {candidates_max})", "true"
    else:
        table = "product"
    rows: Sequence[Any] = await conn.fetch(
        f"""
        SELECT p.id AS product_id, p.shop_id, s.name AS shop_name, s.language AS shop_language, p.category_id,
               p.titles, p.currency, p.price_from_minor, p.price_to_minor, p.status, p.country,
               p.media[1] AS image, {sellable} AS in_stock, p.created_at
        FROM {table} p JOIN shop s ON s.id = p.shop_id
        WHERE {condition} ORDER BY {order_by} LIMIT {limit}
        """,
        *where.values,
    )
    return [ProductSummary(**{**row, "titles": titles_or_none(row["titles"], row["product_id"])}) for row in rows]
