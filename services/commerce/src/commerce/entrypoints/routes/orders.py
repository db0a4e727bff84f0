"""Routes of checkouts and orders."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from chassis.http import Keyset, Page, RateLimit, Reply, Routes, WaitQuery, reading_language
from chassis.tokens import Principal
from chassis.waiting import wait_until
from commerce.adapters.order_reads import (
    OrderSummary,
    is_payment_decided,
    list_bought,
    list_sold,
    read_checkout,
    read_order,
    read_timeline,
)
from commerce.adapters.shop_reads import read_shop
from commerce.adapters.transaction import CommerceTx
from commerce.domain.account import AccountEndedError
from commerce.domain.address import PostalCodeInvalidError
from commerce.domain.cart import CartFullError, NotForSaleError, PriceChangedError
from commerce.domain.checkout import CheckoutNotFoundError, CurrenciesMixedError, QuantityTooLargeError
from commerce.domain.ids import CheckoutId, OrderId, ShopId, UserId
from commerce.domain.order import (
    EmptyOrderError,
    FulfilmentRefusedError,
    OrderNotCancellableError,
    OrderNotFoundError,
    OrderPlacement,
    OrderStatus,
    PaymentStatus,
)
from commerce.domain.product import VariantNotFoundError
from commerce.domain.shop import NotShopOwnerError, ShopNotFoundError
from commerce.domain.stock import SoldOutError
from commerce.domain.totals import TotalTooLargeError
from commerce.entrypoints.schemas.orders import (
    CheckoutView,
    FulfilmentBody,
    OrdersQuery,
    OrderSummaryView,
    OrderView,
    PlaceOrderBody,
    TimelineView,
)
from commerce.usecases.fulfil_order import FulfilOrder, fulfil_order
from commerce.usecases.place_order import place_order
from commerce.usecases.request_cancel import RequestCancel, request_cancel
from commerce.wiring import App, checkout_channel

routes = Routes(tag="orders")
BOUGHT: Final = Keyset("orders:bought", (datetime, UUID))
SOLD: Final = Keyset("orders:sold", (datetime, UUID))


@routes.post(
    "/v1/orders",
    status=202,
    idempotency="required",
    limit=RateLimit("orders", per_user=600, window_s=60, fails="open"),
    errors=(
        EmptyOrderError,
        VariantNotFoundError,
        NotForSaleError,
        PriceChangedError,
        CurrenciesMixedError,
        QuantityTooLargeError,
        TotalTooLargeError,
        PostalCodeInvalidError,
        CartFullError,
        SoldOutError,
        AccountEndedError,
    ),
    summary="Place an order and have it paid",
)
async def post_order(
    request: web.Request, principal: Principal, body: PlaceOrderBody, tx: CommerceTx
) -> Reply[CheckoutView]:
    """One order per shop, paid together. Poll the checkout, or an order, with ``wait_s``.

    The stock is held for it, or the order is refused, with the variants of which too little is left. What costs
    nothing is confirmed at once.
    """
    language = reading_language(request)
    placed = await place_order(body.to_command(UserId(principal.user_id), language), tx)
    return Reply(CheckoutView.of(placed, language), status=202, location=f"/v1/checkouts/{placed.checkout.id}")


@routes.get("/v1/checkouts/{checkout_id}", errors=(CheckoutNotFoundError,), summary="Get a checkout of yours")
async def get_checkout(
    request: web.Request, app: App, principal: Principal, checkout_id: UUID, query: WaitQuery
) -> CheckoutView:
    buyer_id = UserId(principal.user_id)
    if query.wait_s > 0:
        await _wait_for_payment(app, CheckoutId(checkout_id), buyer_id, query.wait_s)
    async with app.database.read(user_id=buyer_id) as conn:
        placed = await read_checkout(conn, CheckoutId(checkout_id), buyer_id)
    return CheckoutView.of(placed, reading_language(request))


@routes.get("/v1/orders", summary="List what you ordered, newest first")
async def get_orders(
    request: web.Request, app: App, principal: Principal, query: OrdersQuery
) -> Page[OrderSummaryView]:
    before = BOUGHT.position(app.cursors, query.cursor)
    async with app.database.read(user_id=principal.user_id) as conn:
        found = await list_bought(
            conn, UserId(principal.user_id), status=query.status, before=before, limit=query.limit + 1
        )
    return _page(request, app, found, query.limit, BOUGHT)


@routes.get(
    "/v1/shops/{shop_id}/orders",
    errors=(ShopNotFoundError, NotShopOwnerError),
    summary="List your shop's orders, newest first",
)
async def get_shop_orders(
    request: web.Request, app: App, principal: Principal, shop_id: UUID, query: OrdersQuery
) -> Page[OrderSummaryView]:
    before = SOLD.position(app.cursors, query.cursor)
    async with app.database.read(user_id=principal.user_id) as conn:
        shop = await read_shop(conn, ShopId(shop_id))
        shop.require_owner(UserId(principal.user_id))
        found = await list_sold(conn, shop.id, status=query.status, before=before, limit=query.limit + 1)
    return _page(request, app, found, query.limit, SOLD)


@routes.get("/v1/orders/{order_id}", errors=(OrderNotFoundError,), summary="Get an order you placed or received")
async def get_order(
    request: web.Request, app: App, principal: Principal, order_id: UUID, query: WaitQuery
) -> OrderView:
    placement = await _order(app, principal, order_id)
    order = placement.order
    if query.wait_s > 0 and order.payment_status is PaymentStatus.PENDING:
        await _wait_for_payment(app, order.checkout_id, order.buyer_id, query.wait_s)
        placement = await _order(app, principal, order_id)
    return OrderView.of(placement, reading_language(request))


@routes.get("/v1/orders/{order_id}/timeline", errors=(OrderNotFoundError,), summary="What happened to an order")
async def get_timeline(request: web.Request, app: App, principal: Principal, order_id: UUID) -> TimelineView:
    async with app.database.read(user_id=principal.user_id) as conn:
        facts = await read_timeline(conn, OrderId(order_id), UserId(principal.user_id))
    return TimelineView.of(facts, reading_language(request))


@routes.post(
    "/v1/orders/{order_id}/cancel",
    status=202,
    errors=(OrderNotFoundError, OrderNotCancellableError),
    summary="Cancel an order that is not confirmed, with those paid together with it",
)
async def post_cancel(request: web.Request, principal: Principal, order_id: UUID, tx: CommerceTx) -> Reply[OrderView]:
    """Granted at once: from now on it cannot be confirmed. It becomes ``cancelled`` when all is undone."""
    buyer_id = UserId(principal.user_id)
    await request_cancel(RequestCancel(order_id=OrderId(order_id), buyer_id=buyer_id), tx)
    placement = await read_order(tx.conn, OrderId(order_id), buyer_id)
    view = OrderView.of(placement, reading_language(request))
    return Reply(view, status=202, location=f"/v1/orders/{order_id}")


@routes.post(
    "/v1/orders/{order_id}/fulfilment",
    errors=(OrderNotFoundError, NotShopOwnerError, FulfilmentRefusedError),
    summary="Move a paid order of your shop on",
)
async def post_fulfilment(
    request: web.Request, principal: Principal, order_id: UUID, body: FulfilmentBody, tx: CommerceTx
) -> OrderView:
    seller_id = UserId(principal.user_id)
    await fulfil_order(FulfilOrder(order_id=OrderId(order_id), user_id=seller_id, status=OrderStatus(body.status)), tx)
    placement = await read_order(tx.conn, OrderId(order_id), seller_id)
    return OrderView.of(placement, reading_language(request))


async def _order(app: App, principal: Principal, order_id: UUID) -> OrderPlacement:
    async with app.database.read(user_id=principal.user_id) as conn:
        return await read_order(conn, OrderId(order_id), UserId(principal.user_id))


async def _wait_for_payment(app: App, checkout_id: CheckoutId, buyer_id: UserId, wait_s: float) -> None:
    async def decided() -> bool:
        async with app.database.read() as conn:
            return await is_payment_decided(conn, checkout_id, buyer_id)

    await wait_until(decided, bool, hints=app.hints, channel=checkout_channel(checkout_id), wait_s=wait_s)


def _page(
    request: web.Request, app: App, found: list[OrderSummary], limit: int, keyset: Keyset
) -> Page[OrderSummaryView]:
    language = reading_language(request)
    return keyset.page(
        app.cursors,
        found,
        limit,
        view=lambda order: OrderSummaryView.of(order, language),
        position=lambda order: (order.placed_at, order.order_id),
    )
