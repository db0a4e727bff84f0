"""What runs in each role of the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web

from chassis.http import make_app
from chassis.run import Command, Periodic, Runner
from notification.entrypoints.consumers import subscriptions
from notification.entrypoints.jobs.sender import ChannelWatch, Sender, erase_expired, observe
from notification.entrypoints.routes.notifications import routes
from notification.wiring import SERVICE, App
from operations import background, checks, housekeeping, operator_commands, operator_routes, relays
from operations import consumers as consuming

__all__ = ["COMMANDS", "ROUTES", "background", "checks", "consumers", "http", "jobs", "relays"]

CLEAN_EVERY_S: Final = 300.0
OBSERVE_EVERY_S: Final = 30.0
ROUTES: Final = (routes, operator_routes(SERVICE, subscriptions))
COMMANDS: Final[Mapping[str, Command]] = operator_commands(subscriptions)


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


def consumers(app: App) -> Sequence[Runner]:
    return consuming(app, subscriptions)


def jobs(app: App) -> Sequence[Runner]:
    return [
        *(Sender(app, gateway, urgent=urgent) for gateway in app.gateways.values() for urgent in (True, False)),
        ChannelWatch(app.gateways),
        Periodic("gauges", OBSERVE_EVERY_S, lambda: observe(app)),
        Periodic("clean", CLEAN_EVERY_S, lambda: erase_expired(app)),
        *housekeeping(app),
    ]
