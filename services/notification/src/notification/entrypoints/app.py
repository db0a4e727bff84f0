"""The web application: every route of the service."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from chassis.http import make_app
from notification.entrypoints.consumers import subscriptions
from notification.entrypoints.routes import deliveries, notifications
from notification.wiring import NAME, App
from operations import operator_routes

ROUTES: Final = (notifications.routes, deliveries.routes, operator_routes(NAME, subscriptions))


def http(app: App) -> web.Application:
    return make_app(
        NAME,
        ROUTES,
        app=app,
        begin=app.begin,
        database=app.database,
        redis=app.redis,
        verifier=app.verifier,
        settings=app.settings,
    )
