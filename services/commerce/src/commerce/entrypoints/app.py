"""All routes of commerce, and the application that serves them."""

from __future__ import annotations

from aiohttp import web

from commerce.entrypoints.consumers import subscriptions
from commerce.entrypoints.routes import carts, orders, products, shops
from commerce.wiring import NAME, App
from operations import make_service_app, operator_routes

ROUTES = (shops.routes, products.routes, carts.routes, orders.routes, operator_routes(NAME, subscriptions))


def make_web_app(app: App) -> web.Application:
    return make_service_app(ROUTES, app)
