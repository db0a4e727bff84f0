"""Routes of products and their stock."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from chassis.http import IfMatch, Keyset, Page, Reply, Routes, etag_of, reading_language
from chassis.postgres import Connection
from chassis.tokens import Principal
from commerce.adapters.category_store import CategoryStore
from commerce.adapters.product_reads import FoundProduct, find_product, product_document
from commerce.adapters.product_search_reads import ProductFilter, ProductSummary, Sort, list_products, similar_products
from commerce.adapters.shop_reads import read_shop
from commerce.adapters.stock_reads import StockFigures, stock_figures
from commerce.adapters.transaction import CommerceTx
from commerce.domain.category import CategoryNotFoundError
from commerce.domain.ids import CategoryId, ProductId, ShopId, UserId, VariantId
from commerce.domain.product import (
    PriceCurrencyError,
    ProductChangedError,
    ProductNotFoundError,
    ProductStatusRefusedError,
    ProductUnreadableError,
    SkuInvalidError,
    SkuTakenError,
    VariantNotFoundError,
    VariantOptionsInvalidError,
)
from commerce.domain.search import CurrencyNeededError, parse_query
from commerce.domain.shop import NotShopOwnerError, ShopClosedError, ShopNotFoundError
from commerce.domain.stock import BelowReservedError
from commerce.domain.texts import TextMissingError
from commerce.entrypoints.schemas.parts import localised
from commerce.entrypoints.schemas.products import (
    AddProductBody,
    ChangeProductBody,
    ProductsQuery,
    ProductSummaryView,
    ProductView,
    SetStockBody,
    StockView,
)
from commerce.usecases.add_product import add_product
from commerce.usecases.change_product import ChangeProduct, change_product
from commerce.usecases.load_own_product import load_own_product
from commerce.usecases.set_stock import SetStock, set_stock
from commerce.wiring import App
from kernel.money import Currency

routes = Routes(tag="products")
_READ_ERRORS: Final = (ProductNotFoundError, ProductUnreadableError)


@routes.post(
    "/v1/shops/{shop_id}/products",
    status=201,
    errors=(
        ShopNotFoundError,
        NotShopOwnerError,
        ShopClosedError,
        CategoryNotFoundError,
        SkuInvalidError,
        SkuTakenError,
        VariantOptionsInvalidError,
        PriceCurrencyError,
        TextMissingError,
    ),
    summary="Put a product into your shop",
)
async def post_product(
    request: web.Request, principal: Principal, shop_id: UUID, body: AddProductBody, tx: CommerceTx
) -> Reply[ProductView]:
    shop = await read_shop(tx.conn, ShopId(shop_id))
    command = body.to_command(UserId(principal.user_id), shop.id, shop.currency)
    product = await add_product(command, tx)
    figures = {
        new.variant.id: StockFigures(variant_id=new.variant.id, on_hand=new.on_hand, reserved=0, count_version=1)
        for new in command.variants
    }
    view = ProductView.of(product_document(product, shop), figures, reading_language(request))
    return Reply(view, status=201, location=f"/v1/products/{product.id}", etag=etag_of(product.version))


@routes.get(
    "/v1/products",
    auth="public",
    errors=(CategoryNotFoundError, CurrencyNeededError),
    summary="List and search products on sale",
)
async def get_products(request: web.Request, app: App, query: ProductsQuery) -> Page[ProductSummaryView]:
    """Words match by prefix, without case and accents, in all five languages; where nothing does, similar titles."""
    now = app.clock.now()
    async with app.database.read() as conn:
        wanted = await _filter(conn, query)
        after = _keyset(query.sort).position(app.cursors, query.cursor)
        found = await list_products(conn, wanted, now=now, after=after, limit=query.limit + 1)
        if not found and query.q and after is None:
            found = await similar_products(conn, query.q, wanted, now=now, limit=query.limit)
    return _page(app, found, query, reading_language(request))


@routes.get(
    "/v1/shops/{shop_id}/products",
    errors=(CategoryNotFoundError, ShopNotFoundError, NotShopOwnerError),
    summary="List your shop's products, whatever their status",
)
async def get_shop_products(
    request: web.Request, app: App, principal: Principal, shop_id: UUID, query: ProductsQuery
) -> Page[ProductSummaryView]:
    query = query.model_copy(update={"shop_id": shop_id})
    async with app.database.read() as conn:
        shop = await read_shop(conn, ShopId(shop_id))
        shop.require_owner(UserId(principal.user_id))
        wanted = await _filter(conn, query, every_status=True)
        after = _keyset(query.sort).position(app.cursors, query.cursor)
        found = await list_products(conn, wanted, now=app.clock.now(), after=after, limit=query.limit + 1)
    return _page(app, found, query, reading_language(request))


@routes.get("/v1/products/{product_id}", auth="optional", errors=_READ_ERRORS, summary="Get a product")
async def get_product(
    request: web.Request, app: App, principal: Principal | None, product_id: UUID
) -> Reply[ProductView]:
    found = await _found(app, product_id, principal)
    view = ProductView.of(found.document, found.figures, reading_language(request))
    return Reply(view, etag=etag_of(view.version))


@routes.patch(
    "/v1/products/{product_id}",
    errors=(
        *_READ_ERRORS,
        NotShopOwnerError,
        ShopClosedError,
        ProductChangedError,
        ProductStatusRefusedError,
        VariantNotFoundError,
        CategoryNotFoundError,
        PriceCurrencyError,
        TextMissingError,
    ),
    summary="Change a product of yours",
)
async def patch_product(
    *,
    request: web.Request,
    principal: Principal,
    product_id: UUID,
    body: ChangeProductBody,
    if_match: IfMatch,
    tx: CommerceTx,
) -> Reply[ProductView]:
    """``If-Match`` takes the product's ETag. What is left out stays."""
    user_id = UserId(principal.user_id)
    _, shop = await load_own_product(ProductId(product_id), user_id, tx)
    changed = await change_product(
        ChangeProduct(
            user_id=user_id,
            product_id=ProductId(product_id),
            precondition=if_match,
            titles=localised(body.titles, "/titles") if body.titles else None,
            descriptions=localised(body.descriptions, "/descriptions") if body.descriptions else None,
            category_id=CategoryId(body.category_id) if body.category_id else None,
            tags=tuple(body.tags) if body.tags is not None else None,
            media=tuple(body.media) if body.media is not None else None,
            status=body.status,
            prices_minor=body.prices_minor(shop.currency),
        ),
        tx,
    )
    _, figures = await stock_figures(tx.conn, changed.id, tx.now)
    view = ProductView.of(product_document(changed, shop), figures, reading_language(request))
    return Reply(view, etag=etag_of(changed.version))


@routes.get(
    "/v1/products/{product_id}/variants/{variant_id}/stock",
    errors=(*_READ_ERRORS, VariantNotFoundError, NotShopOwnerError),
    summary="Stock of a variant of yours",
)
async def get_stock(app: App, principal: Principal, product_id: UUID, variant_id: UUID) -> Reply[StockView]:
    found = await _found(app, product_id, principal)
    if not found.owned_by(UserId(principal.user_id)):
        raise NotShopOwnerError
    figures = found.figures.get(VariantId(variant_id))
    if figures is None:
        raise VariantNotFoundError
    return Reply(StockView.of_fields(figures), etag=etag_of(figures.count_version))


@routes.put(
    "/v1/products/{product_id}/variants/{variant_id}/stock",
    errors=(*_READ_ERRORS, VariantNotFoundError, NotShopOwnerError, ShopClosedError, BelowReservedError),
    summary="Write down how many units are on hand",
)
async def put_stock(
    *, principal: Principal, product_id: UUID, variant_id: UUID, body: SetStockBody, if_match: IfMatch, tx: CommerceTx
) -> Reply[StockView]:
    """``If-Match`` takes the stock's ETag, which changes when units are sold or counted, or ``*``."""
    item = await set_stock(
        SetStock(
            user_id=UserId(principal.user_id),
            product_id=ProductId(product_id),
            variant_id=VariantId(variant_id),
            on_hand=body.on_hand,
            precondition=if_match,
        ),
        tx,
    )
    return Reply(StockView.of_fields(item), etag=etag_of(item.count_version))


async def _found(app: App, product_id: UUID, principal: Principal | None) -> FoundProduct:
    found = await find_product(ProductId(product_id), database=app.database, cache=app.cache, now=app.clock.now())
    found.require_seen_by(UserId(principal.user_id) if principal else None)
    return found


async def _filter(conn: Connection, query: ProductsQuery, *, every_status: bool = False) -> ProductFilter:
    category_ids = (await CategoryStore(conn).tree()).subtree_ids(query.category) if query.category else None
    return ProductFilter(
        search=parse_query(query.q) if query.q else None,
        shop_id=ShopId(query.shop_id) if query.shop_id else None,
        category_ids=category_ids,
        country=query.country,
        currency=_currency(query),
        price_min_minor=query.min_price_minor,
        price_max_minor=query.max_price_minor,
        in_stock=query.in_stock,
        every_status=every_status,
        sort=query.sort,
    )


def _currency(query: ProductsQuery) -> Currency | None:
    if query.currency or not query.compares_prices:
        return query.currency
    if query.country:
        return query.country.currency
    if query.shop_id:
        return None
    raise CurrencyNeededError(pointer="/currency")


def _page(app: App, found: list[ProductSummary], query: ProductsQuery, language: str) -> Page[ProductSummaryView]:
    return _keyset(query.sort).page(
        app.cursors,
        found,
        query.limit,
        view=lambda product: ProductSummaryView.of(product, language),
        position=lambda product: product.position(query.sort),
    )


def _keyset(sort: Sort) -> Keyset:
    return Keyset(f"products:{sort}", (datetime if sort is Sort.NEWEST else int, UUID))
