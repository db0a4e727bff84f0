"""The web application of a service: its routes over the parts it stands on."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from chassis.http import Routes, make_app
from operations.app import OperatedApp, service_of


def make_service_app(routes: Sequence[Routes], app: OperatedApp) -> web.Application:
    """Serves ``routes`` by the name of the service; each handler gets what its signature asks of ``app``."""
    return make_app(
        service_of(app),
        routes,
        app=app,
        begin=app.begin,
        database=app.database,
        redis=app.redis,
        verifier=app.verifier,
        settings=app.settings,
    )
