"""What each role of the process runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import operations
from chassis.run import Command, Periodic, Runner
from operations import background, checks, relays
from operations.invariants import count_broken
from orchestrator.adapters.invariants import CHECKS
from orchestrator.entrypoints.app import handlers
from orchestrator.entrypoints.cli import AUDIT
from orchestrator.entrypoints.jobs import gauges, retention
from orchestrator.entrypoints.jobs.timers import Timers
from orchestrator.wiring import App

__all__ = ["COMMANDS", "background", "checks", "consumers", "jobs", "relays"]

COMMANDS: Final[Mapping[str, Command]] = {"audit": AUDIT, **operations.operator_commands(handlers)}


def consumers(app: App) -> Sequence[Runner]:
    return operations.consumers(app, handlers)


def jobs(app: App) -> Sequence[Runner]:
    """Timers; gauges; what is old is removed."""
    return [
        Timers(app, poll_s=app.settings.timer_poll_s),
        Periodic("gauges", gauges.EVERY_S, partial(gauges.observe, app)),
        Periodic("retention", retention.EVERY_S, partial(retention.prune, app)),
        *operations.housekeeping(app),
        operations.audit_job(app, lambda conn: count_broken(conn, CHECKS)),
    ]
