"""Payment over HTTP: the routes, and the flusher that lives as long as they are served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final

from aiohttp import web

import operations
from chassis.http import Routes
from chassis.run import Supervised, running
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
    """The application. Requests in flight are answered before the flusher stops."""
    application = operations.make_service_app(routes, app)

    async def flushing(_: web.Application) -> AsyncIterator[None]:
        # Supervised: a partition that ended for whatever reason runs again, else every transfer would wait in vain.
        async with running([Supervised(each) for each in app.flusher.partitions], _STOP_S):
            yield

    application.cleanup_ctx.append(flushing)
    return application


def checks(app: App) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """What must answer for the process to be ready."""
    return {**operations.checks(app), "ledger": app.flusher.check}
