"""Products with their variants in Postgres, with the search columns that follow from their texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
from asyncpg import Record

from chassis.postgres import OnConnection
from commerce.adapters.metrics import What, note_unreadable
from commerce.adapters.shop_store import texts_by_name, texts_of, texts_row
from commerce.domain.ids import ProductId, ShopId, UserId, VariantId
from commerce.domain.offer import Offer
from commerce.domain.product import (
    Product,
    ProductChangedError,
    ProductNotFoundError,
    ProductOption,
    ProductStatus,
    ProductUnreadableError,
    SkuTakenError,
    Variant,
)
from commerce.domain.search import search_text, terms
from commerce.domain.tax import TaxClass
from commerce.domain.texts import LocalisedText
from commerce.usecases.ports import WithdrawnProduct
from kernel.country import Country
from kernel.money import Currency
from kernel.rows import columns_of, object_of, rows_affected, values_of

_COLUMNS = """
    id, shop_id, category_id, titles, descriptions, options, tags, media, tax_class, status, currency, version,
    created_at
"""

_ADDED = """
    id, shop_id, category_id, titles, descriptions, options, tags, media, tax_class, status, country, currency,
    price_from_minor, price_to_minor, title_text, search_text, terms, version, created_at
"""
_SAVED = """
    id, version_read, category_id, titles, descriptions, tags, media, status, price_from_minor, price_to_minor,
    title_text, search_text, terms, version
"""

ADD: Final = f"""
    INSERT INTO product ({_ADDED}, fold_again)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
        array_to_tsvector($17::text[]), $18, $19, false)
"""
GET: Final = f"SELECT {_COLUMNS} FROM product WHERE id = $1"
VARIANTS: Final = """
    SELECT id, sku, options, price_minor, compare_at_minor, barcode, weight_g
    FROM variant WHERE product_id = $1 ORDER BY position
"""
LOCK: Final = "SELECT 1 FROM product WHERE id = $1 FOR NO KEY UPDATE"
KNOWN: Final = "SELECT id FROM product WHERE id = ANY($1::uuid[])"
SAVE: Final = """
    UPDATE product SET category_id = $3, titles = $4, descriptions = $5, tags = $6, media = $7,
        status = $8, price_from_minor = $9, price_to_minor = $10, title_text = $11, search_text = $12,
        terms = array_to_tsvector($13::text[]), fold_again = false, version = $14
    WHERE id = $1 AND version = $2
"""
SAVE_PRICES: Final = """
    UPDATE variant SET price_minor = new.price_minor, compare_at_minor = new.compare_at_minor
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS new (id, price_minor, compare_at_minor)
    WHERE variant.id = new.id
"""
ARCHIVE_ALL: Final = """
    WITH shown AS (
        SELECT id, status FROM product WHERE shop_id = ANY($1::uuid[]) AND status <> 'archived'
        ORDER BY id FOR NO KEY UPDATE)
    UPDATE product SET status = 'archived', version = product.version + 1 FROM shown
    WHERE product.id = shown.id
    RETURNING product.id, product.shop_id, product.version, shown.status AS before
"""
TO_FOLD: Final = "SELECT id FROM product WHERE fold_again ORDER BY id LIMIT $1"
LOCK_MANY: Final = "SELECT id FROM product WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"
FOLD: Final = """
    UPDATE product SET title_text = $2, search_text = $3, terms = array_to_tsvector($4::text[]),
        fold_again = false
    WHERE id = $1
"""
OFFERS: Final = """
    SELECT v.id AS variant_id, v.product_id, v.sku, v.options, v.price_minor, p.currency, p.titles,
           p.tax_class, p.shop_id, s.name AS shop_name, s.owner_id, s.country, s.language,
           s.prices_include_tax, p.status = 'active' AND s.status = 'open' AS for_sale
    FROM variant v JOIN product p ON p.id = v.product_id JOIN shop s ON s.id = p.shop_id
    WHERE v.id = ANY($1::uuid[])
"""
SELLERS: Final = """
    SELECT p.id, p.titles, s.owner_id, s.language FROM product p JOIN shop s ON s.id = p.shop_id
    WHERE p.id = ANY($1::uuid[])
"""
ADD_VARIANTS: Final = """
    INSERT INTO variant (id, product_id, shop_id, position, sku, options, price_minor,
        compare_at_minor, barcode, weight_g)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::jsonb[],
        $7::bigint[], $8::bigint[], $9::text[], $10::int[])
"""


_FIGURES: Final = ("price_minor", "compare_at_minor", "barcode", "weight_g")


class _Placed(NamedTuple):
    product: Product
    position: int
    variant: Variant


class ProductStore(OnConnection):
    """Implements ``ProductStore``."""

    async def add_many(self, products: Iterable[tuple[Product, Country]]) -> None:
        """New products with their variants. Raises ``SkuTakenError``."""
        every = list(products)
        await self._conn.executemany(ADD, [_row(product, _ADDED, country=country) for product, country in every])
        await self._add_variants([product for product, _ in every])

    async def get(self, product_id: ProductId) -> Product | None:
        row = await self._conn.fetchrow(GET, product_id)
        if row is None:
            return None
        variants = await self._conn.fetch(VARIANTS, product_id)
        return _product(row, variants)

    async def lock(self, product_id: ProductId) -> Product:
        """As it is now and stays until this transaction ends. Raises ``ProductNotFoundError``."""
        await self._conn.execute(LOCK, product_id)
        product = await self.get(product_id)
        if product is None:
            raise ProductNotFoundError
        return product

    async def known(self, product_ids: Collection[ProductId]) -> set[ProductId]:
        """Which of them are stored."""
        rows = await self._conn.fetch(KNOWN, list(product_ids))
        return {ProductId(row["id"]) for row in rows}

    async def save(self, product: Product, version_read: int) -> None:
        """Write texts, prices and status. Raises ``ProductChangedError`` when another was faster."""
        status = await self._conn.execute(SAVE, *_row(product, _SAVED, version_read=version_read))
        if rows_affected(status) != 1:
            raise ProductChangedError
        await self._conn.execute(SAVE_PRICES, *columns_of(product.variants, "id", "price_minor", "compare_at_minor"))

    async def archive_all(self, shop_ids: Collection[ShopId]) -> list[WithdrawnProduct]:
        """Nothing of these shops is seen any more; those that were on sale."""
        rows = await self._conn.fetch(ARCHIVE_ALL, list(shop_ids))
        return [
            WithdrawnProduct(product_id=ProductId(row["id"]), shop_id=ShopId(row["shop_id"]), version=row["version"])
            for row in rows
            if row["before"] == ProductStatus.ACTIVE
        ]

    async def to_fold(self, limit: int) -> list[ProductId]:
        """Products whose search columns were made by another folding."""
        rows = await self._conn.fetch(TO_FOLD, limit)
        return [ProductId(row["id"]) for row in rows]

    async def fold(self, product_ids: Collection[ProductId]) -> None:
        """Make their search columns again; they are locked meanwhile."""
        await self._conn.execute(LOCK_MANY, list(product_ids))
        for product_id in product_ids:
            if product := await self.get(product_id):
                await self._conn.execute(FOLD, *_row(product, "id, title_text, search_text, terms"))

    async def offers(self, variant_ids: Collection[VariantId]) -> dict[VariantId, Offer]:
        """What each variant is sold as right now; unknown ones are missing, and those whose rows are damaged."""
        rows = await self._conn.fetch(OFFERS, list(variant_ids))
        return {offer.variant_id: offer for offer in map(_offer, rows) if offer is not None}

    async def sellers(self, product_ids: Collection[ProductId]) -> dict[ProductId, tuple[UserId, str]]:
        """Owner and title, in the shop's own language, of each product; its id where no title can be read."""
        rows = await self._conn.fetch(SELLERS, list(product_ids))
        return {
            ProductId(row["id"]): (
                UserId(row["owner_id"]),
                titles.read(row["language"])
                if (titles := titles_or_none(row["titles"], row["id"]))
                else str(row["id"]),
            )
            for row in rows
        }

    async def _add_variants(self, products: Sequence[Product]) -> None:
        placed = [
            _Placed(product, position, variant)
            for product in products
            for position, variant in enumerate(product.variants)
        ]
        try:
            await self._conn.execute(
                ADD_VARIANTS,
                *columns_of(placed, "variant.id", "product.id", "product.shop_id", "position", "variant.sku"),
                [dict(each.variant.options) for each in placed],
                *columns_of(placed, *(f"variant.{each}" for each in _FIGURES)),
            )
        except asyncpg.UniqueViolationError as error:
            raise SkuTakenError(pointer="/variants") from error


def _row(product: Product, columns: str, **others: Any) -> list[Any]:
    """What the columns hold of it, those among them that it is searched by."""
    titles = list(product.titles.by_language.values())
    descriptions = list(product.descriptions.by_language.values()) if product.descriptions else []
    whole = search_text([*titles, *product.tags, *(variant.sku for variant in product.variants), *descriptions])
    return values_of(
        product,
        columns,
        titles=texts_row(product.titles),
        descriptions=texts_row(product.descriptions),
        options=[{"name": option.name, "values": list(option.values)} for option in product.options],
        tags=list(product.tags),
        media=list(product.media),
        title_text=search_text(titles),
        search_text=whole,
        terms=terms(whole),
        **others,
    )


def titles_or_none(value: Any, product_id: UUID) -> LocalisedText | None:
    """A product's titles as stored; None where they are damaged."""
    try:
        return _titles(value)
    except ValueError:
        note_unreadable(What.PRODUCT, field="titles", product_id=product_id)
        return None


def _titles(value: Any) -> LocalisedText:
    titles = texts_of(value)
    if titles is None:
        raise ValueError("a product without a title cannot have been stored")
    return titles


def _product(row: Record, variants: Sequence[Record]) -> Product:
    try:
        return _readable_product(row, variants)
    except (ValueError, TypeError, LookupError) as error:
        note_unreadable(What.PRODUCT, product_id=row["id"])
        raise ProductUnreadableError from error


def _option(value: Any) -> ProductOption:
    name, values = value["name"], tuple(value["values"])
    if not all(isinstance(each, str) for each in (name, *values)):
        raise TypeError("an option is of texts")
    return ProductOption(name=name, values=values)


def _readable_product(row: Record, variants: Sequence[Record]) -> Product:
    return object_of(
        Product,
        row,
        titles=_titles(row["titles"]),
        descriptions=texts_of(row["descriptions"]),
        options=tuple(map(_option, row["options"])),
        variants=tuple(object_of(Variant, each, options=texts_by_name(each["options"])) for each in variants),
        currency=Currency(row["currency"]),
        tax_class=TaxClass(row["tax_class"]),
        tags=tuple(row["tags"]),
        media=tuple(row["media"]),
        status=ProductStatus(row["status"]),
    )


def _offer(row: Record) -> Offer | None:
    try:
        titles, options = _titles(row["titles"]), texts_by_name(row["options"])
    except ValueError:
        note_unreadable(What.PRODUCT, product_id=row["product_id"], variant_id=row["variant_id"])
        return None
    return object_of(
        Offer,
        row,
        seller_id=row["owner_id"],
        country=Country(row["country"]),
        currency=Currency(row["currency"]),
        options=options,
        titles=titles,
        shop_language=row["language"],
        tax_class=TaxClass(row["tax_class"]),
    )
