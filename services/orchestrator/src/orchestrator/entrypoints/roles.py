"""What each role of the process runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import operations
from chassis.run import Periodic, Runner
from operations.invariants import count_broken
from orchestrator.adapters.invariants import CHECKS
from orchestrator.entrypoints.jobs import gauges, retention
from orchestrator.entrypoints.jobs.timers import Timers
from orchestrator.wiring import App


def jobs(app: App) -> Sequence[Runner]:
    """Timers; gauges; what is old is removed."""
    return [
        Timers(app, poll_s=app.settings.timer_poll_s),
        Periodic("gauges", gauges.EVERY_S, partial(gauges.observe, app)),
        Periodic("retention", retention.EVERY_S, partial(retention.prune, app)),
        *operations.housekeeping(app),
        operations.audit_job(app, lambda conn: count_broken(conn, CHECKS)),
    ]
