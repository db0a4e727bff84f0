"""Payment over HTTP: the routes, and the flusher that lives as long as they are served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

import operations
from chassis.run import Supervised, running
from payment.entrypoints.consumers import subscriptions
from payment.entrypoints.routes import TABLE
from payment.wiring import NAME, App

ROUTES: Final = (*TABLE, operations.operator_routes(NAME, subscriptions))
_STOP_S: Final = 10.0


def make_web_app(app: App) -> web.Application:
    """The application. Requests in flight are answered before the flusher stops."""
    application = operations.make_service_app(ROUTES, app)

    async def flushing(_: web.Application) -> AsyncIterator[None]:
        # Supervised: a partition that ended for whatever reason runs again, else every transfer would wait in vain.
        async with running([Supervised(each) for each in app.flusher.partitions], _STOP_S):
            yield

    application.cleanup_ctx.append(flushing)
    return application


def checks(app: App) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """What must answer for the process to be ready."""
    return {**operations.checks(app), "ledger": app.flusher.check}
