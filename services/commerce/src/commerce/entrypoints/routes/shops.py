"""Routes of shops and categories."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from chassis.http import Keyset, Page, Reply, Routes, reading_language
from chassis.tokens import Principal
from commerce.adapters.category_store import CategoryStore
from commerce.adapters.shop_reads import list_shops, read_shop
from commerce.adapters.transaction import CommerceTx
from commerce.domain.account import AccountEndedError
from commerce.domain.ids import ShopId, UserId
from commerce.domain.shop import ShopNotFoundError, ShopSlugInvalidError, ShopSlugTakenError
from commerce.domain.texts import TextMissingError
from commerce.entrypoints.schemas.shops import CategoriesView, CategoryView, OpenShopBody, ShopsQuery, ShopView
from commerce.usecases.open_shop import open_shop
from commerce.wiring import App

routes = Routes(tag="shops")
NEWEST: Final = Keyset("shops", (datetime, UUID))


@routes.post(
    "/v1/shops",
    status=201,
    errors=(ShopSlugInvalidError, ShopSlugTakenError, TextMissingError, AccountEndedError),
    summary="Open a shop",
)
async def post_shop(request: web.Request, principal: Principal, body: OpenShopBody, tx: CommerceTx) -> Reply[ShopView]:
    shop = await open_shop(body.to_command(UserId(principal.user_id), principal.country), tx)
    return Reply(ShopView.of(shop, reading_language(request)), status=201, location=f"/v1/shops/{shop.id}")


@routes.get("/v1/shops", auth="public", summary="List open shops, newest first")
async def get_shops(request: web.Request, app: App, query: ShopsQuery) -> Page[ShopView]:
    before = NEWEST.position(app.cursors, query.cursor)
    async with app.database.read() as conn:
        shops = await list_shops(
            conn, country=query.country, owner_id=query.owner_id, before=before, limit=query.limit + 1
        )
    language = reading_language(request)
    return NEWEST.page(
        app.cursors,
        shops,
        query.limit,
        view=lambda shop: ShopView.of(shop, language),
        position=lambda shop: (shop.created_at, shop.id),
    )


@routes.get("/v1/shops/{shop_id}", auth="public", errors=(ShopNotFoundError,), summary="Get a shop")
async def get_shop(request: web.Request, app: App, shop_id: UUID) -> ShopView:
    async with app.database.read() as conn:
        shop = await read_shop(conn, ShopId(shop_id))
    return ShopView.of(shop, reading_language(request))


@routes.get("/v1/categories", auth="public", summary="The tree of categories")
async def get_categories(request: web.Request, app: App) -> CategoriesView:
    async with app.database.read() as conn:
        tree = await CategoryStore(conn).tree()
    language = reading_language(request)
    return CategoriesView(items=[CategoryView.of(node, language) for node in tree.roots()])
