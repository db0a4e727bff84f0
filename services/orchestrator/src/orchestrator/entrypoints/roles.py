"""What each role of the process runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from aiohttp import web

import operations
from chassis.http import make_app
from chassis.run import Command, Periodic, Runner
from eventing import Subscriptions
from operations import background, checks, relays
from orchestrator.entrypoints.cli import AUDIT, violations
from orchestrator.entrypoints.consumers import subscriptions
from orchestrator.entrypoints.jobs.timers import Timers
from orchestrator.entrypoints.jobs.upkeep import observe, prune
from orchestrator.entrypoints.routes.sagas import routes
from orchestrator.wiring import SERVICE, App, OrchestratorTx

__all__ = ["COMMANDS", "ROUTES", "background", "checks", "consumers", "http", "jobs", "relays"]


def _handlers(app: App) -> Subscriptions[OrchestratorTx]:
    return subscriptions(app.registry)


ROUTES: Final = (routes, operations.operator_routes(SERVICE, _handlers))
COMMANDS: Final[Mapping[str, Command]] = {"audit": AUDIT, **operations.operator_commands(_handlers)}
_OBSERVE_EVERY_S: Final = 5.0
_PRUNE_EVERY_S: Final = 3600.0


def http(app: App) -> web.Application:
    """The operator API."""
    return make_app(
        SERVICE,
        ROUTES,
        app=app,
        begin=app.begin,
        database=app.database,
        redis=app.redis,
        verifier=app.verifier,
        settings=app.settings,
    )


def consumers(app: App) -> Sequence[Runner]:
    return operations.consumers(app, _handlers)


def jobs(app: App) -> Sequence[Runner]:
    """Timers; gauges; what is old is removed."""
    return [
        Timers(app, poll_s=app.settings.timer_poll_s),
        Periodic("gauges", _OBSERVE_EVERY_S, partial(observe, app)),
        Periodic("retention", _PRUNE_EVERY_S, partial(prune, app)),
        *operations.housekeeping(app),
        operations.audit_job(app, violations),
    ]
