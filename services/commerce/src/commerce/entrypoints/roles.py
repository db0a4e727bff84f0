"""What runs in each role of the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import operations
from chassis.run import Periodic, Runner
from commerce.entrypoints.commands import findings_of
from commerce.entrypoints.consumers import subscriptions
from commerce.entrypoints.jobs import sweep_holds
from commerce.wiring import SERVICE, App
from operations import background, checks, relays

__all__ = ["background", "checks", "consumers", "jobs", "relays"]

SWEEP_EVERY_S: Final = 1.0


def consumers(app: App) -> Sequence[Runner]:
    return operations.consumers(app, subscriptions)


def jobs(app: App) -> Sequence[Runner]:
    return [
        Periodic("sweep-holds", SWEEP_EVERY_S, lambda: sweep_holds(app)),
        *operations.housekeeping(app),
        operations.audit_job(SERVICE, lambda: _violations(app)),
    ]


async def _violations(app: App) -> int:
    return len(await findings_of(app, app.settings.stuck_after_s))
