"""Payment over HTTP: the routes, and the flushers that live as long as they are served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final

from aiohttp import web

import operations
from chassis.http import Routes
from chassis.run import Supervised
from kernel.tasks import stop_tasks
from payment.entrypoints.routes import (
    charges_in_review,
    job_failures,
    provider_webhooks,
    top_ups,
    transfers,
    wallets,
)
from payment.wiring import App

ROUTES: Final = (
    wallets.routes,
    top_ups.routes,
    transfers.routes,
    provider_webhooks.routes,
    charges_in_review.routes,
    job_failures.routes,
)
_STOP_S: Final = 10.0


def make_web_app(routes: Sequence[Routes], app: App) -> web.Application:
    """The application. Requests in flight are answered before the flushers stop."""
    application = operations.make_service_app(routes, app)

    async def flushing(_: web.Application) -> AsyncIterator[None]:
        stop = asyncio.Event()
        # Supervised: a flusher that ended for whatever reason runs again, else every transfer would wait in vain.
        running = [asyncio.create_task(Supervised(each).run(stop), name=each.name) for each in app.flushers.all]
        yield
        stop.set()
        await asyncio.wait(running, timeout=_STOP_S)
        await stop_tasks(*running)

    application.cleanup_ctx.append(flushing)
    return application


def checks(app: App) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """What must answer for the process to be ready."""
    return {**operations.checks(app), "ledger": app.flushers.check}
