"""Payment over HTTP: the routes, and the flusher that lives as long as they are served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

import operations
from chassis.run import Supervised
from kernel.tasks import stop_tasks
from payment.entrypoints.consumers import subscriptions
from payment.entrypoints.routes import TABLE
from payment.wiring import NAME, App

ROUTES: Final = (*TABLE, operations.operator_routes(NAME, subscriptions))
_STOP_S: Final = 10.0


def make_web_app(app: App) -> web.Application:
    """The application. Requests in flight are answered before the flusher stops."""
    application = operations.make_service_app(ROUTES, app)

    async def flushing(_: web.Application) -> AsyncIterator[None]:
        stop = asyncio.Event()
        # Supervised: a partition that ended for whatever reason runs again, else every transfer would wait in vain.
        running = [asyncio.create_task(Supervised(each).run(stop), name=each.name) for each in app.flusher.partitions]
        yield
        stop.set()
        await asyncio.wait(running, timeout=_STOP_S)
        await stop_tasks(*running)

    application.cleanup_ctx.append(flushing)
    return application


def checks(app: App) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """What must answer for the process to be ready."""
    return {**operations.checks(app), "ledger": app.flusher.check}
