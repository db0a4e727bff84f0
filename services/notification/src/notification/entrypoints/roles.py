"""What runs in each role of the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from chassis.http import make_app
from chassis.run import Periodic, Runner
from eventing import Consumer, Relay
from notification.entrypoints.consumers import subscriptions
from notification.entrypoints.http import routes
from notification.entrypoints.jobs import Sender, erase_expired
from notification.wiring import SERVICE, App

CLEAN_EVERY_S = 300.0
ROUTES = (routes,)


def http(app: App) -> web.Application:
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


def checks(app: App) -> Mapping[str, Callable[[], Awaitable[None]]]:
    return {"postgres": app.database.check}


def consumers(app: App) -> list[Runner]:
    return [Consumer(subscriptions, begin=app.begin, config=app.outbox_config, kafka=app.kafka)]


def relays(app: App) -> list[Runner]:
    dsn = app.settings.database_dsn.get_secret_value()
    return [Relay(dsn=dsn, config=app.outbox_config, kafka=app.kafka, wakeups=app.wakeups)]


def jobs(app: App) -> list[Runner]:
    return [
        Sender(app, urgent=True),
        Sender(app, urgent=False),
        Periodic("clean", CLEAN_EVERY_S, lambda: erase_expired(app)),
    ]


def background(app: App) -> list[Runner]:
    return [app.revocations]
