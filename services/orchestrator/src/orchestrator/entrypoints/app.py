"""The web application: the operator API."""

from __future__ import annotations

from typing import Final

from aiohttp import web

import operations
from eventing import Subscriptions
from orchestrator.adapters.transaction import OrchestratorTx
from orchestrator.entrypoints.consumers import subscriptions
from orchestrator.entrypoints.routes import acts, sagas
from orchestrator.wiring import NAME, App


def handlers(app: App) -> Subscriptions[OrchestratorTx]:
    """What this process consumes."""
    return subscriptions(app.registry)


ROUTES: Final = (sagas.routes, acts.routes, operations.operator_routes(NAME, handlers))


def make_web_app(app: App) -> web.Application:
    """Everything that is served over HTTP."""
    return operations.make_service_app(ROUTES, app)
