"""What each role runs."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.run import Periodic, Runner
from eventing import Consumer, Relay
from eventing.housekeeping import Housekeeping
from payment.entrypoints import jobs as work
from payment.entrypoints.consumers import subscriptions
from payment.wiring import App

_HOUSEKEEPING_EVERY_S = 3600.0


def consumers(app: App) -> Sequence[Runner]:
    """People and saga commands."""
    return [Consumer(subscriptions, begin=app.begin, config=app.outbox_config, kafka=app.kafka)]


def relays(app: App) -> Sequence[Runner]:
    """The outbox to Kafka."""
    dsn = app.settings.database_dsn.get_secret_value()
    return [Relay(dsn=dsn, config=app.outbox_config, kafka=app.kafka, wakeups=app.wakeups)]


def jobs(app: App) -> Sequence[Runner]:
    """Top-ups driven, holds expired, tables kept small."""
    settings = app.settings
    dsn = settings.database_dsn.get_secret_value()
    return [
        Periodic("top-ups", settings.top_ups_every_s, lambda: work.top_ups(app)),
        Periodic("hold-expiry", settings.expiry_every_s, lambda: work.expiry(app)),
        Periodic("housekeeping", _HOUSEKEEPING_EVERY_S, lambda: work.housekeeping(app)),
        Housekeeping(dsn=dsn, schema=settings.database_schema),
    ]


def background(app: App) -> Sequence[Runner]:
    """In every role: sessions that were revoked."""
    return [app.revocations]
