"""What each role of the process runs."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from aiohttp import web

from chassis.http import make_app
from chassis.run import Periodic, Runner
from eventing import Consumer, Relay
from eventing.housekeeping import Housekeeping
from orchestrator.entrypoints import http_records
from orchestrator.entrypoints.consumers import subscriptions
from orchestrator.entrypoints.http import routes
from orchestrator.entrypoints.jobs import observe, prune
from orchestrator.entrypoints.timers import Timers
from orchestrator.wiring import App

ROUTES: Final = (routes, http_records.routes)
_TITLES: Final = Path(__file__).parents[1] / "problems.json"
_OBSERVE_EVERY_S: Final = 5.0
_PRUNE_EVERY_S: Final = 3600.0


def http(app: App) -> web.Application:
    """The operator API."""
    return make_app(
        "orchestrator",
        ROUTES,
        app=app,
        begin=app.begin,
        database=app.database,
        redis=app.redis,
        verifier=app.verifier,
        settings=app.settings,
        problem_titles=json.loads(_TITLES.read_text()),
    )


def consumers(app: App) -> Sequence[Runner]:
    return [Consumer(subscriptions(app.registry), begin=app.begin, config=app.outbox_config, kafka=app.kafka)]


def relays(app: App) -> Sequence[Runner]:
    dsn = app.settings.database_dsn.get_secret_value()
    return [Relay(dsn=dsn, config=app.outbox_config, kafka=app.kafka, wakeups=app.wakeups)]


def jobs(app: App) -> Sequence[Runner]:
    """Timers; gauges; what is old is removed."""
    return [
        Timers(app, poll_s=app.settings.timer_poll_s),
        Periodic("gauges", _OBSERVE_EVERY_S, partial(observe, app)),
        Periodic("retention", _PRUNE_EVERY_S, partial(prune, app)),
        Housekeeping(dsn=app.settings.database_dsn.get_secret_value(), schema=app.settings.database_schema),
    ]


def background(app: App) -> Sequence[Runner]:
    return [app.revocations]


def checks(app: App) -> Mapping[str, Callable[[], Awaitable[None]]]:
    return {"postgres": app.database.check}
