"""The web application: all routes of auth as one table."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from auth.entrypoints.routes import codes, friend_requests, relations, sessions, users
from auth.wiring import NAME, App
from chassis.http import Routes, make_app
from operations import operator_routes

ROUTES: Final[tuple[Routes, ...]] = (
    users.routes,
    sessions.routes,
    codes.routes,
    friend_requests.routes,
    relations.routes,
    operator_routes(NAME),
)


def make_web_app(app: App) -> web.Application:
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
