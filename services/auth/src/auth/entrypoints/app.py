"""The web application: all routes of auth as one table."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from auth.entrypoints.routes import codes, friend_requests, relations, sessions, users
from auth.wiring import NAME, App
from chassis.http import Routes
from operations import make_service_app, operator_routes

ROUTES: Final[tuple[Routes, ...]] = (
    users.routes,
    sessions.routes,
    codes.routes,
    friend_requests.routes,
    relations.routes,
    operator_routes(NAME),
)


def make_web_app(app: App) -> web.Application:
    return make_service_app(ROUTES, app)
