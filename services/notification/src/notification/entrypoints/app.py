"""The web application: every route of the service."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from notification.entrypoints.consumers import subscriptions
from notification.entrypoints.routes import deliveries, notifications
from notification.wiring import NAME, App
from operations import make_service_app, operator_routes

ROUTES: Final = (notifications.routes, deliveries.routes, operator_routes(NAME, subscriptions))


def make_web_app(app: App) -> web.Application:
    return make_service_app(ROUTES, app)
