"""What runs in each role of the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chassis.housekeeping import forget_keys
from chassis.run import Periodic, Runner
from chassis.run.service import Check
from commerce.entrypoints.consumers import subscriptions
from commerce.entrypoints.jobs import sweep_holds
from commerce.wiring import App
from eventing import Consumer, Relay
from eventing.housekeeping import Housekeeping

SWEEP_EVERY_S = 1.0


def consumers(app: App) -> Sequence[Runner]:
    return [Consumer(subscriptions, begin=app.begin, config=app.outbox_config, kafka=app.kafka)]


def relays(app: App) -> Sequence[Runner]:
    return [Relay(dsn=_dsn(app), config=app.outbox_config, kafka=app.kafka, wakeups=app.wakeups)]


def jobs(app: App) -> Sequence[Runner]:
    return [
        Periodic("sweep-holds", SWEEP_EVERY_S, lambda: sweep_holds(app)),
        forget_keys(app.database),
        Housekeeping(dsn=_dsn(app), schema=app.settings.database_schema),
    ]


def background(app: App) -> Sequence[Runner]:
    return [app.revocations]


def checks(app: App) -> Mapping[str, Check]:
    return {"postgres": app.database.check}


def _dsn(app: App) -> str:
    return app.settings.database_dsn.get_secret_value()
