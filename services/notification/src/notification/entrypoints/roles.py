"""What runs in each role beside the web application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import operations
from chassis.run import Periodic, Runner
from notification.adapters.erasure_job import erase_expired
from notification.adapters.metrics import observe_deliveries
from notification.entrypoints.jobs.channel_watch import ChannelWatch
from notification.entrypoints.jobs.sender import Sender
from notification.wiring import App

CLEAN_EVERY_S: Final = 300.0
OBSERVE_EVERY_S: Final = 30.0


def jobs(app: App) -> Sequence[Runner]:
    return [
        *(Sender(app, gateway, urgent=urgent) for gateway in app.gateways.values() for urgent in (True, False)),
        ChannelWatch(app.gateways),
        Periodic("gauges", OBSERVE_EVERY_S, lambda: observe_deliveries(app.database)),
        Periodic("clean", CLEAN_EVERY_S, lambda: erase_expired(app.database)),
        *operations.housekeeping(app),
    ]
