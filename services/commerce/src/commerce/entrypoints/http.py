"""All routes of commerce, and the application that serves them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from aiohttp import web

from chassis.http import make_app
from commerce.entrypoints import carts, orders, products, shops
from commerce.entrypoints.consumers import subscriptions
from commerce.wiring import SERVICE, App
from operations import operator_routes

ROUTES = (shops.routes, products.routes, carts.routes, orders.routes, operator_routes(SERVICE, subscriptions))


@cache
def problem_titles() -> dict[str, dict[str, str]]:
    """Titles of commerce's error codes, per language."""
    titles: dict[str, dict[str, str]] = json.loads((files("commerce") / "problems.json").read_text("utf-8"))
    return titles


def application(app: App) -> web.Application:
    return make_app(
        SERVICE,
        ROUTES,
        app=app,
        begin=app.begin,
        database=app.database,
        redis=app.redis,
        verifier=app.verifier,
        settings=app.settings,
        problem_titles=problem_titles(),
    )
